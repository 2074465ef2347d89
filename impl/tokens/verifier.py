"""Turns the text of a token into who it is, at the price of one argon2 a process."""

import asyncio
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from uuid import UUID

from impl.db import Executor
from impl.tokens import hashing, queries
from impl.tokens.format import Kind, ParsedToken, parse
from impl.tokens.throttle import Throttle

LONGEST_TTL_SECONDS = 30.0
FINDING_AT_ONCE = 4  # of the pool's connections: unknown tokens do not get all of them


class VerifierOverloaded(Exception):  # noqa: N818 - a state, to be answered with 503
    """Too many unknown tokens at once; the caller may try again."""


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    token_id: str
    kind: Kind
    subject_id: UUID | None  # the bot or the plugin; None for an admin or a registry key
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Entry:
    token: VerifiedToken
    hash: str
    version: int
    valid_until: float


@dataclass(slots=True)
class _Asked:
    key: bytes  # of the text, in the cache
    parsed: ParsedToken
    text: str = field(repr=False)
    address: str
    flight: "asyncio.Task[VerifiedToken | None] | None" = None
    outdated: bool = False  # what was read of it may be older than a change


async def check(
    executor: Executor, parsed: ParsedToken, text: str
) -> tuple[VerifiedToken, float | None] | None:
    """Ask the database, without a cache; the number is the seconds until the token expires."""
    stored = await queries.find(executor, parsed.id, parsed.kind)
    if stored is None or not await hashing.matches(stored.hash, text):
        return None
    token = VerifiedToken(parsed.id, parsed.kind, stored.subject_id, stored.scopes)
    return token, stored.seconds_left


class _Lane:
    """Work of one kind: `at_once` together, and `places` in all. Raises VerifierOverloaded."""

    def __init__(self, at_once: int, places: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._places = places

    async def __aenter__(self) -> None:
        if not self._places:
            raise VerifierOverloaded
        self._places -= 1
        try:
            await self._free.acquire()
        except asyncio.CancelledError:
            self._places += 1
            raise

    async def __aexit__(self, *_: object) -> None:
        self._free.release()
        self._places += 1


class TokenVerifier:
    """One a process. What it knows of a token is at most `ttl_seconds` old, and is read again as
    soon as somebody says that it changed (`forget`, `outdate`).

    Only good tokens are cached, under a hash keyed by this process: its memory holds no token. One
    whose time is over is read again, but not hashed again while its row keeps the same hash: that
    very text matched it. So a flood of unknown tokens holds up nobody who was here before.

    The checksum is public: anyone can make tokens that parse. What was never seen waits in three
    lanes, each with `max_waiting` places: to be found, and then to be hashed, with the ids that
    nobody has apart from the others, one at a time. Each refusal costs one statement and one
    argon2, whatever the reason; who was refused too often costs neither (`throttle`).
    """

    def __init__(
        self,
        pool: Executor,
        *,
        ttl_seconds: float,
        max_waiting: int = 64,
        max_cached: int = 10_000,
        throttle: Throttle | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._ttl = min(ttl_seconds, LONGEST_TTL_SECONDS)
        self._max_cached = max_cached
        self._throttle = throttle or Throttle()
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._cache: OrderedDict[bytes, _Entry] = OrderedDict()
        self._flights: dict[bytes, _Asked] = {}
        self._finding = _Lane(FINDING_AT_ONCE, max_waiting)
        self._hashing = _Lane(hashing.THREADS, max_waiting)
        self._hashing_unknown = _Lane(1, max_waiting)

    async def verify(
        self, text: str, kind: Kind, address: Callable[[], str] = str
    ) -> VerifiedToken | None:
        """None: not a valid token of this kind. Raises VerifierOverloaded.

        `address` is asked for where the token is not at hand: who says that it is his.
        """
        key = blake2b(text.encode(errors="surrogatepass"), key=self._key, digest_size=32).digest()
        token = self._cached(key)
        if token is not None:  # one that was read before is well formed
            return token if token.kind == kind else None
        parsed = parse(text)
        if parsed is None or parsed.kind != kind:
            return None
        return await self._fly(_Asked(key, parsed, text, address()))

    def forget(self, *token_ids: str) -> None:
        """Have the next use of these tokens ask the database."""
        self.outdate(dict.fromkeys(token_ids))

    def outdate(self, versions: Mapping[str, int | None]) -> None:
        """As `forget`, for those that were read as another version of their row."""
        for asked in [each for each in self._flights.values() if each.parsed.id in versions]:
            asked.outdated = True
            del self._flights[asked.key]  # nobody may join it
        # Known they stay: it takes a look at the row, and no argon2, to know them again.
        for key, entry in self._cache.items():
            if versions.get(entry.token.token_id, entry.version) != entry.version:
                self._cache[key] = replace(entry, valid_until=0.0)

    def _cached(self, key: bytes) -> VerifiedToken | None:
        entry = self._cache.get(key)
        if entry is None or entry.valid_until <= self._clock():
            return None
        self._cache.move_to_end(key)
        return entry.token

    async def _fly(self, asked: _Asked) -> VerifiedToken | None:
        """Check once for everyone who waits for the same token."""
        key = asked.key
        if key not in self._cache and self._throttled(asked):
            return None
        known = self._flights.get(key)
        flight = known.flight if known else None
        if flight is None:
            asked.flight = flight = asyncio.create_task(self._check(asked))
            self._flights[key] = asked
            flight.add_done_callback(lambda done: self._land(asked, done))
        # One waiter that gives up must not fail the others.
        return await asyncio.shield(flight)

    def _land(self, asked: _Asked, flight: "asyncio.Task[VerifiedToken | None]") -> None:
        if self._flights.get(asked.key) is asked:
            del self._flights[asked.key]
        if not flight.cancelled():
            flight.exception()  # seen, even where nobody waits any longer

    async def _check(self, asked: _Asked) -> VerifiedToken | None:
        # The clock of before the query: what is read later is at most `ttl` old when it ends.
        began = self._clock()
        before = self._cache.get(asked.key)
        stored = await self._find(asked.parsed, known=before is not None)
        if not await self._matches(stored, before, asked) or stored is None:
            self._cache.pop(asked.key, None)
            return None
        parsed = asked.parsed
        token = VerifiedToken(parsed.id, parsed.kind, stored.subject_id, stored.scopes)
        if not asked.outdated:
            left = stored.seconds_left
            ttl = self._ttl if left is None else min(self._ttl, left)
            self._store(asked.key, _Entry(token, stored.hash, stored.version, began + ttl))
        await queries.note_use(self._pool, token.token_id)
        return token

    async def _find(self, parsed: ParsedToken, *, known: bool) -> queries.StoredToken | None:
        if known:
            return await queries.find(self._pool, parsed.id, parsed.kind)
        async with self._finding:
            return await queries.find(self._pool, parsed.id, parsed.kind)

    async def _matches(
        self, stored: queries.StoredToken | None, before: _Entry | None, asked: _Asked
    ) -> bool:
        if stored and before and hmac.compare_digest(before.hash, stored.hash):
            return True
        lane = self._hashing if stored else self._hashing_unknown
        async with lane:
            # Others of the same origin may have failed while it waited.
            if self._throttled(asked):
                return False
            # A row that is not there, or not valid, costs as much as a wrong secret.
            hashed = stored.hash if stored else hashing.DUMMY_HASH
            if await hashing.matches(hashed, asked.text) and stored:
                return True
        self._throttle.failed(asked.parsed.id, asked.address)
        return False

    def _throttled(self, asked: _Asked) -> bool:
        return self._throttle.refuses(asked.parsed.id, asked.address)

    def _store(self, key: bytes, entry: _Entry) -> None:
        self._cache[key] = entry
        self._cache.move_to_end(key)
        while len(self._cache) > self._max_cached:
            self._cache.popitem(last=False)
