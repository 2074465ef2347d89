"""The relay: outbox rows become stream entries, in order per stream, at least once.

Identity order is not commit order, so the relay that holds a stream's lock gives each row its
position when it first sees it, and commits the positions before it sends anything. The position is
the entry's id in Redis: what a lost reply hid is known by it, and so is what Redis has lost.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from generated.metrics import Metrics
from impl.db import UNAVAILABLE, Executor, Pool
from impl.events import queries
from impl.events.streams import Entry, ForeignEntryError, append, keep_state, last_position
from impl.events.wire import Bell
from impl.metrics.sampler import stream_label
from impl.redis import UNREACHABLE

log = structlog.get_logger()

PAUSE_WHEN_AWAY_SECONDS = 1.0
CHECK_SECONDS = 5.0
STEPS = 50  # to table and stream being one again, before the next stream has its turn


@dataclass
class Relay:
    """Any number of these may run; for each stream one at a time does the work.

    `committed` rings when there are new events; `told` is called when they have their places in the
    feed, which does not wait for Redis.
    """

    pool: Pool
    redis: Redis
    batch: int
    poll_seconds: float
    metrics: Metrics
    committed: Bell = field(default_factory=Bell)
    told: Callable[[], None] | None = None
    _numbered: Bell = field(default_factory=Bell, init=False)
    _checked_at: float = field(default=0.0, init=False)

    async def run(self) -> None:
        """Never ends. While PostgreSQL or Redis is away the outbox waits, and so does this."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._for_ever(self.number_once, self.committed))
            group.create_task(self._for_ever(self._publish_and_check, self._numbered))

    async def _for_ever(self, work: Callable[[], Awaitable[int]], bell: Bell) -> None:
        while True:
            try:
                moved = await work()
            except (*UNAVAILABLE, *UNREACHABLE) as error:
                log.warning("relay_waits", reason=type(error).__name__)
                await asyncio.sleep(PAUSE_WHEN_AWAY_SECONDS)
            else:
                if not moved:
                    await bell.wait(self.poll_seconds)

    async def drain_once(self) -> int:
        """One batch of each stream that waits. Returns the number of entries published."""
        await self.number_once()
        return await self.publish_once()

    async def number_once(self) -> int:
        """Gives what is new its positions. Returns how many; 0 where another relay does it.

        A transaction of its own: a position that was sent must never be given to another row.
        """
        numbered = 0
        async with self.pool.acquire() as connection:
            if not await queries.any_unnumbered(connection):
                return 0
            async with connection.transaction():
                if await queries.lock_numbering(connection):
                    numbered = await queries.number(connection, self.batch)
        if numbered:
            self._numbered.ring()
            if self.told is not None:
                self.told()
        return numbered

    async def publish_once(self) -> int:
        """One batch of each stream that has unsent entries. Returns how many were published."""
        moved = 0
        refused: ResponseError | None = None
        for stream in await queries.unsent_streams(self.pool):
            try:
                moved += await self._publish(stream)
            except ResponseError as error:  # out of memory, a key of another type: its own matter
                log.warning("stream_refused", stream=stream, reason=str(error)[:200])
                refused = error
        if refused is not None and not moved:
            raise refused
        return moved

    async def check_streams(self) -> None:
        """Finds streams that Redis lost, those in which nothing happens too, to fill them again."""
        for stream in await queries.published_streams(self.pool):
            async with self.pool.acquire() as connection, connection.transaction():
                if await queries.lock_stream(connection, stream):
                    await self._agree(connection, stream)

    async def _publish_and_check(self) -> int:
        moved = await self.publish_once()
        if time.monotonic() - self._checked_at > CHECK_SECONDS:
            await self.check_streams()
            self._checked_at = time.monotonic()
        return moved

    async def _publish(self, stream: str) -> int:
        for _ in range(STEPS):
            async with self.pool.acquire() as connection, connection.transaction():
                if not await queries.lock_stream(connection, stream):
                    return 0  # another relay has it
                last = await self._agree(connection, stream)
                if last is None:
                    continue
                try:
                    return await self._send(connection, stream, last)
                except ForeignEntryError:
                    log.warning("stream_foreign", stream=stream, position=last)
                    await queries.move_behind(connection, stream, last)
        return 0

    async def _agree(self, connection: Executor, stream: str) -> int | None:
        """The position that the stream has reached. None where table and stream have parted (either
        was restored, or Redis flushed): then the table is put right, to be committed first; where
        much was lost, in several steps."""
        known = await queries.positions(connection, stream)
        last = await last_position(self.redis, stream)
        if last > known.assigned:
            log.warning("stream_ahead", stream=stream, position=last, assigned=known.assigned)
            await queries.move_behind(connection, stream, last)
        elif last < known.published:
            log.warning("stream_refilled", stream=stream, position=last, published=known.published)
            await queries.publish_again(connection, stream, last)
        else:
            return last
        return None

    async def _send(self, connection: Executor, stream: str, last: int) -> int:
        rows = await queries.unpublished(connection, stream, self.batch)
        if not rows:
            return 0
        entries = [Entry(row["position"], str(row["event_id"]), row["body"]) for row in rows]
        bodies = [entry.body for entry in entries if entry.body]
        await append(self.redis, stream, last, entries)
        await keep_state(self.redis, bodies, await queries.forgotten(connection, rows))
        await queries.mark_published(connection, stream, rows)
        self.metrics.events_published_total.at(stream_label(stream)).inc(len(bodies))
        return len(rows)
