"""Turns the text of a token into who it is, at the price of one argon2 each `ttl_seconds`."""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

from impl.db import Executor
from impl.tokens import hashing, queries
from impl.tokens.format import Kind, ParsedToken, parse

LONGEST_TTL_SECONDS = 30.0


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
    valid_until: float


async def check(
    executor: Executor, parsed: ParsedToken, text: str
) -> tuple[VerifiedToken, float | None] | None:
    """Ask the database; the number is the seconds until the token expires.

    An unknown id costs what a wrong secret costs: one statement, one argon2.
    """
    stored = await queries.find(executor, parsed.id, parsed.kind)
    good = await hashing.matches(stored.hash if stored else hashing.DUMMY_HASH, text)
    if stored is None or not good:
        return None
    token = VerifiedToken(parsed.id, parsed.kind, stored.subject_id, stored.scopes)
    return token, stored.seconds_left


class TokenVerifier:
    """One a process. A revoked token may live on in it for `ttl_seconds`, unless forgotten.

    Only good tokens are cached, under a hash keyed by this process: its memory holds no token. At
    most `max_waiting` tokens are being checked at once, so that a flood of unknown ones cannot
    queue up behind argon2.
    """

    def __init__(
        self,
        pool: Executor,
        *,
        ttl_seconds: float,
        max_waiting: int = 64,
        max_cached: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._ttl = min(ttl_seconds, LONGEST_TTL_SECONDS)
        self._max_waiting = max_waiting
        self._max_cached = max_cached
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._cache: OrderedDict[bytes, _Entry] = OrderedDict()
        self._flights: dict[bytes, asyncio.Task[VerifiedToken | None]] = {}
        self._forgotten = 0

    async def verify(self, text: str, kind: Kind) -> VerifiedToken | None:
        """None: not a valid token of this kind. Raises VerifierOverloaded."""
        parsed = parse(text)
        if parsed is None or parsed.kind != kind:
            return None
        key = blake2b(text.encode("ascii"), key=self._key, digest_size=32).digest()
        return self._cached(key) or await self._fly(key, parsed, text)

    def forget(self, token_id: str) -> None:
        """Drop what is cached of a token, so that the next use of it asks the database."""
        self._forgotten += 1
        self._flights = {}  # what they read may be older than this call: nobody may join them
        for key in [key for key, entry in self._cache.items() if entry.token.token_id == token_id]:
            del self._cache[key]

    def _cached(self, key: bytes) -> VerifiedToken | None:
        entry = self._cache.get(key)
        if entry is None or entry.valid_until <= self._clock():
            return None
        self._cache.move_to_end(key)
        return entry.token

    async def _fly(self, key: bytes, parsed: ParsedToken, text: str) -> VerifiedToken | None:
        """Check once for everyone who waits for the same token."""
        flight = self._flights.get(key)
        if flight is None:
            if len(self._flights) >= self._max_waiting:
                raise VerifierOverloaded
            flight = asyncio.create_task(self._check(key, parsed, text))
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._land(key, done))
        # One waiter that gives up must not fail the others.
        return await asyncio.shield(flight)

    def _land(self, key: bytes, flight: asyncio.Task[VerifiedToken | None]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # seen, even where nobody waits any longer

    async def _check(self, key: bytes, parsed: ParsedToken, text: str) -> VerifiedToken | None:
        # The clock of before the query: what is read later is at most `ttl` old when it ends.
        began, forgotten = self._clock(), self._forgotten
        found = await check(self._pool, parsed, text)
        if found is None:
            self._cache.pop(key, None)
            return None
        token, seconds_left = found
        # Read before a token was forgotten: it may be that one.
        if forgotten == self._forgotten:
            ttl = self._ttl if seconds_left is None else min(self._ttl, seconds_left)
            self._store(key, _Entry(token, began + ttl))
        await queries.note_use(self._pool, token.token_id)
        return token

    def _store(self, key: bytes, entry: _Entry) -> None:
        self._cache[key] = entry
        self._cache.move_to_end(key)
        while len(self._cache) > self._max_cached:
            self._cache.popitem(last=False)
