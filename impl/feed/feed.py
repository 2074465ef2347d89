"""One reader of the feed for the whole process, however many follow it.

Nobody holds a connection while nothing happens, and who follows asks the database only for what it
missed before it came.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import asyncpg
import structlog

from generated.errors import LastEventIdExpired, Overloaded, TooManyStreams
from generated.metrics import Metrics
from impl.db import UNAVAILABLE, Pool
from impl.events.wire import Bell
from impl.feed import queries
from impl.feed.events import Event
from impl.feed.places import Places
from impl.feed.subscription import Subscription
from impl.telemetry.queries.listing import Filters

log = structlog.get_logger()

BATCH = 200
MISSED_BATCH = 50  # of one reader, who may read slowly: some MB at most
POLL_SECONDS = 0.5  # where nobody tells
PAUSE_WHEN_AWAY_SECONDS = 1.0
TOKENS_SECONDS = 10.0
AT_ONCE = 2  # readers that catch up: when all come back together the pool is not theirs
SCOPE = "telemetry:read"
COME_BACK_SECONDS = 5


@dataclass
class Feed:
    """`told` rings when there is something new, `tokens_changed` when a token may be good no more.

    At most `most` follow at once.
    """

    pool: Pool
    places: Places
    metrics: Metrics
    most: int
    most_of_a_token: int
    told: Bell = field(default_factory=Bell)
    tokens_changed: Bell = field(default_factory=Bell)
    catching_up: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _open: set[Subscription] = field(default_factory=set, init=False)
    _live: dict[Filters, set[Subscription]] = field(default_factory=dict, init=False)
    _of_tokens: Counter[str] = field(default_factory=Counter, init=False)
    _position: int | None = field(default=None, init=False)  # None: nobody follows
    _followed: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _stopping: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Never ends. While the database is away streams stay open, and go on when it is back."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell())
            group.create_task(self._expel())

    def stop(self) -> None:
        """Ends every stream at once, so that nobody waits for their ends."""
        self._stopping = True
        for subscription in self._open:
            subscription.stop("stopping")

    async def open(self, subscription: Subscription, *, after: int | None) -> None:
        """Raises TooManyStreams, Overloaded or LastEventIdExpired. Else it must `leave`."""
        self._admit(subscription)
        try:
            span = await queries.span(self.pool)
            subscription.position = _place_in(span, after)
        except BaseException:
            self.leave(subscription)
            raise
        if self._position is None:
            self._position = span.newest
            self._followed.set()

    def leave(self, subscription: Subscription) -> None:
        if subscription not in self._open:
            return
        self._open.remove(subscription)
        self.metrics.event_streams.dec()
        self._of_tokens[subscription.token_id] -= 1
        if not self._of_tokens[subscription.token_id]:
            del self._of_tokens[subscription.token_id]
        followers = self._live.get(subscription.filters, set())
        followers.discard(subscription)
        if not followers:
            self._live.pop(subscription.filters, None)
        if not self._open:
            self._position = None
            self._followed.clear()

    def join(self, subscription: Subscription) -> bool:
        """From here on it is told what happens. False where it must catch up first."""
        if self._position is None or subscription.position < self._position:
            return False
        self._live.setdefault(subscription.filters, set()).add(subscription)
        return True

    async def missed(self, subscription: Subscription) -> bytes:
        """The next of what it missed; its position moves on."""
        upto = self._position or 0
        async with self.catching_up:
            rows = await queries.read(
                self.pool, after=subscription.position, upto=upto, limit=MISSED_BATCH
            )
        subscription.position = upto if len(rows) < MISSED_BATCH else rows[-1]["position"]
        return b"".join(
            event.frame(subscription.reader)
            for event in map(self._event, rows)
            if event.fits(subscription.filters)
        )

    def mark(self, subscription: Subscription) -> bytes:
        """The place behind all that a reader was told or did not ask for, without an event."""
        if self._position is not None and subscription in self._live.get(subscription.filters, ()):
            subscription.position = max(subscription.position, self._position)
        return f"id: {self.places.write(subscription.position)}\n\n".encode()

    def _event(self, row: asyncpg.Record) -> Event:
        return Event(row, self.places.write(row["position"]))

    def _admit(self, subscription: Subscription) -> None:
        if self._stopping or len(self._open) >= self.most:
            raise Overloaded("As many streams are open as may be.")
        if self._of_tokens[subscription.token_id] >= self.most_of_a_token:
            raise TooManyStreams(headers=self._full())
        self._open.add(subscription)
        self._of_tokens[subscription.token_id] += 1
        self.metrics.event_streams.inc()

    def _full(self) -> dict[str, str]:
        wait = COME_BACK_SECONDS
        return {
            "Retry-After": f"{wait}",
            "RateLimit-Policy": f'"streams";q={self.most_of_a_token};w={wait}',
            "RateLimit": f'"streams";r=0;t={wait}',
        }

    async def _tell(self) -> None:
        while True:
            await self._followed.wait()
            try:
                more = await self._tell_next()
            except UNAVAILABLE as error:
                log.warning("feed_waits", reason=type(error).__name__)
                await asyncio.sleep(PAUSE_WHEN_AWAY_SECONDS)
            else:
                if not more:
                    await self.told.wait(POLL_SECONDS)

    async def _tell_next(self) -> bool:
        """Whether there may be more."""
        after = self._position
        if after is None:
            return False
        rows = await queries.read(self.pool, after=after, limit=BATCH)
        if self._position != after:  # all have left meanwhile
            return True
        for event in map(self._event, rows):
            for filters, subscriptions in self._live.items():
                if event.fits(filters):
                    for subscription in subscriptions:
                        subscription.put(event)
        if rows:
            self._position = rows[-1]["position"]
        return len(rows) == BATCH

    async def _expel(self) -> None:
        """A token that is revoked, expired or narrowed is told no more."""
        while True:
            await self.tokens_changed.wait(TOKENS_SECONDS)
            held = list(self._of_tokens)
            if not held:
                continue
            try:
                valid = await queries.valid_tokens(self.pool, held, SCOPE)
            except UNAVAILABLE as error:
                log.warning("feed_waits", reason=type(error).__name__)
                continue
            for subscription in self._open:
                if subscription.token_id in held and subscription.token_id not in valid:
                    subscription.stop("token")


def _place_in(span: queries.Span, after: int | None) -> int:
    if after is None:
        return span.newest
    if not span.lowest <= after <= span.newest:
        raise LastEventIdExpired
    return after
