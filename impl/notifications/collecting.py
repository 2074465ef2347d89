"""From events to deliveries: each event of the outbox is seen once, and none is passed over.

The messages' own statements know nothing of webhooks. Ids of the outbox are given before their
transactions commit, so a cursor over them alone would pass over one that commits late. Hence the
barrier: whoever may still commit an id up to the newest one held a lock on the table, as every
writer does, when that one was read. Once those transactions have ended, nothing below it appears.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import structlog

from generated.metrics import Metrics
from generated.triggers import TR_004, TRIGGERS
from impl.db import UNAVAILABLE, Pool
from impl.notifications import collecting_queries as queries
from impl.notifications.collecting_queries import Notice
from impl.settings import Settings
from impl.triggers.failures import judge
from impl.triggers.firing import LEVELS, fired

log = structlog.get_logger()

BATCH = 500
BARRIER_POLL_SECONDS = 0.02
WARN_AFTER_SECONDS = 10.0
PURGE_SECONDS = 600.0
# By these the core tells that it did something by itself. Not each failed call is told, only the
# critical ones.
TOLD = sorted(
    {trigger.events[0] for trigger in TRIGGERS.values()}
    | {event for each in TRIGGERS.values() if each.severity != "critical" for event in each.events}
)


@dataclass
class Collector:
    """Any number of workers may run it: one at a time takes a batch, whichever comes first."""

    pool: Pool
    settings: Settings
    metrics: Metrics
    _purged_at: float = field(default=float("-inf"), init=False)

    async def run(self) -> None:
        """Never ends; a database that is away is waited for."""
        while True:
            try:
                await self.collect()
                await self._purge_now_and_then()
            except UNAVAILABLE as error:
                log.warning("notifications_wait", reason=type(error).__name__)
            await asyncio.sleep(self.settings.notification_poll_seconds)

    async def collect(self) -> None:
        """All that was committed before this was called."""
        newest = await queries.newest(self.pool)
        if newest is None:
            return
        await self._pass_barrier()
        while await self._take_batch(newest):
            pass

    async def _pass_barrier(self) -> None:
        began = warned = time.monotonic()
        writers = await queries.writers(self.pool)
        while writers:
            await asyncio.sleep(BARRIER_POLL_SECONDS)
            writers &= await queries.writers(self.pool)
            if writers and time.monotonic() - warned > WARN_AFTER_SECONDS:
                warned = time.monotonic()
                seconds = round(warned - began)
                log.warning("notifications_wait", reason="a long transaction", seconds=seconds)

    async def _take_batch(self, newest: int) -> bool:
        """Whether there is more up to `newest`."""
        async with self.pool.acquire() as connection, connection.transaction():
            batch = await queries.lock_batch(connection, newest, BATCH)
            if batch is None:
                return False  # there is none, or another worker has it
            notices = await queries.insert_deliveries(connection, batch, TOLD)
            taken_out = await self._judge(connection, batch)
            await queries.move_cursor(connection, batch)
        for notice in notices:
            _tell(notice)
        for plugin_id, done in taken_out.items():
            if done.disabled:
                fired(self.metrics, TR_004, plugin_id=plugin_id)
        return batch.until < newest

    async def _judge(self, connection: asyncpg.Connection, batch: queries.Batch) -> Any:
        most = self.settings.plugin_critical_failures
        return await judge(connection, batch.after, batch.until, most) if most else {}

    async def _purge_now_and_then(self) -> None:
        """What is left of a purge comes with the next look: more may end than one takes."""
        if time.monotonic() - self._purged_at <= PURGE_SECONDS:
            return
        if not await queries.purge(self.pool, self.settings.notification_keep_days):
            self._purged_at = time.monotonic()


def _tell(notice: Notice) -> None:
    """The log is everybody's webhook."""
    getattr(log, LEVELS[notice.severity])(
        "notification",
        event_type=notice.event_type,
        severity=notice.severity,
        event_id=notice.event_id,
        plugin_id=notice.plugin_id,
        trace_id=notice.trace_id,
        deliveries=notice.deliveries,
    )
