"""What is kept, for how long, and how the rest goes: each batch a short transaction of its own.

Any number of workers and commands may run it: they take turns, batch by batch.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import structlog

from generated.events import STREAMS
from generated.metrics import Metrics, TableLabel
from generated.runtime.events import longest
from impl.db import UNAVAILABLE, Pool
from impl.retention import queries
from impl.settings import RetentionSettings

log = structlog.get_logger()

T = TypeVar("T")

PAUSE_SECONDS = 0.1  # between two batches of a worker: others want the database too
FIRST_SECONDS = 60.0
# All old keys are looked through for it, and most of them stay.
KEYS_SECONDS = 86_400.0
OLDEST = queries.KeyPlace(datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0), "")
# Redis cuts whole nodes of a stream, so it keeps a few more entries than the contract says.
NODE = 1000


@dataclass
class Retention:
    pool: Pool
    settings: RetentionSettings

    async def remove(self, *, keys: bool = True) -> AsyncIterator[tuple[TableLabel, int]]:
        """Each batch's table and how many rows went. Without `keys` those are left for now."""
        async for removed in self._published():
            yield "outbox", removed
        async for removed in self._events():
            yield "plugin_events", removed
        async for removed in self._audit():
            yield "audit_logs", removed
        if keys:
            async for removed in self._keys():
                yield "message_keys", removed

    async def count(self) -> AsyncIterator[tuple[TableLabel, int]]:
        """How many rows of each table would go."""
        of, given = queries.count, self.settings
        yield "outbox", sum([
            await of(self.pool, queries.COUNT_PUBLISHED, stream, upto)
            async for stream, upto in self._beyond()
        ])  # fmt: skip
        counts: tuple[tuple[TableLabel, str, int], ...] = (
            ("plugin_events", queries.COUNT_EVENTS, given.retention_events_days),
            ("audit_logs", queries.COUNT_AUDIT, given.retention_audit_days),
            ("message_keys", queries.COUNT_KEYS, given.retention_keys_days),
        )
        for table, statement, days in counts:
            yield table, await of(self.pool, statement, days)

    async def _audit(self) -> AsyncIterator[int]:
        days, batch = self.settings.retention_audit_days, self.settings.retention_batch
        removed = batch
        while removed == batch:
            removed = await self._commit(queries.remove_audit, days, batch)
            yield removed

    async def _events(self) -> AsyncIterator[int]:
        days, batch = self.settings.retention_events_days, self.settings.retention_batch
        more = True
        while more:
            removed, more = await self._commit(queries.remove_events, days, batch)
            yield removed

    async def _published(self) -> AsyncIterator[int]:
        batch = self.settings.retention_batch
        async for stream, upto in self._beyond():
            removed = batch
            while removed == batch:
                removed = await self._commit(queries.remove_published, stream, upto, batch)
                yield removed

    async def _beyond(self) -> AsyncIterator[tuple[str, int]]:
        """The streams that have more than a refill needs, and up to which position."""
        for stream, position in (await queries.published_streams(self.pool)).items():
            kept = longest(STREAMS, stream) + NODE
            if position <= kept:
                continue
            upto = await queries.window(self.pool, stream, kept)
            if upto is not None:
                yield stream, upto

    async def _keys(self) -> AsyncIterator[int]:
        days, batch = self.settings.retention_keys_days, self.settings.retention_batch
        place: queries.KeyPlace | None = OLDEST
        while place is not None:
            removed, place = await self._commit(queries.remove_keys, days, batch, place)
            yield removed

    async def _commit(self, work: Callable[..., Awaitable[T]], *values: object) -> T:
        async with self.pool.acquire() as connection, connection.transaction():
            await queries.lock(connection)
            return await work(connection, *values)


@dataclass
class RetentionTask:
    """A worker's part: it removes a little now and then."""

    retention: Retention
    metrics: Metrics
    _keys_at: float | None = field(default=None, init=False)

    async def run(self) -> None:
        """Never ends."""
        every = self.retention.settings.retention_every_seconds
        if not every:
            await asyncio.Event().wait()
        # Workers that were started together need not come together.
        await asyncio.sleep(random.uniform(0, min(FIRST_SECONDS, every)))  # noqa: S311  # no secret
        while True:
            try:
                await self._remove()
            except UNAVAILABLE as error:
                log.warning("retention_waits", reason=type(error).__name__)
            await asyncio.sleep(every)

    async def _remove(self) -> None:
        now = time.monotonic()
        keys = self._keys_at is None or now - self._keys_at >= KEYS_SECONDS
        async for table, removed in self.retention.remove(keys=keys):
            self.metrics.rows_removed_total.at(table).inc(removed)
            await asyncio.sleep(PAUSE_SECONDS)
        if keys:
            self._keys_at = now
