"""Calls whose instance died are found by their lease and delivered again, with the same id."""

import asyncio
from dataclasses import dataclass

import asyncpg
import structlog

from generated.metrics import Metrics
from generated.runtime import trace
from impl.db import UNAVAILABLE, Pool
from impl.dialogs.call import RESET, StoredCall, with_history
from impl.dialogs.delivery import Delivery
from impl.dialogs.message import MessageKey
from impl.dialogs.queries.parts import MESSAGE
from impl.settings import Settings

log = structlog.get_logger()

AT_ONCE = 16

# The database's clock alone decides that a lease is over; the attempt fences the old owner.
# The rows are picked in a CTE: as a subquery the join might run it, and lock, again and again.
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM plugin_calls WHERE status = 'in_progress' AND lease_until < now()
    ORDER BY lease_until LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE plugin_calls AS call SET attempt = attempt + 1,
    lease_until = now() + make_interval(secs => $1)
FROM due, plugins, dialogs
WHERE call.id = due.id AND plugins.id = call.plugin_id AND dialogs.id = call.dialog_id
RETURNING call.dialog_id, call.message_id, call.plugin_id, call.invocation_id, call.trace_id,
    call.attempt, call.request_payload, plugins.base_url, plugins.status AS plugin_status,
    dialogs.bot_id, dialogs.reset_version <> call.reset_version AS was_reset
"""

HISTORY_BEFORE = f"""
SELECT coalesce(jsonb_agg({MESSAGE} ORDER BY seq), '[]')
FROM (
    SELECT * FROM messages WHERE dialog_id = $1 AND seq < coalesce(
        (SELECT seq FROM messages WHERE dialog_id = $1 AND message_id = $2), 0)
    ORDER BY seq DESC LIMIT $3
) AS newest
"""  # noqa: S608  # constants of our own


@dataclass(frozen=True, slots=True)
class Recovery:
    pool: Pool
    delivery: Delivery
    settings: Settings
    metrics: Metrics

    async def run(self) -> None:
        """Never ends; a database that is away is waited for. Stopped, it gives its calls back."""
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                for row in await self._claim_or_wait(AT_ONCE - len(running)):
                    task = asyncio.create_task(self._take_over(row), name="recovered call")
                    running.add(task)
                    task.add_done_callback(running.discard)
                # A plugin that hangs holds its own place, not those of the others.
                if len(running) < AT_ONCE:
                    await asyncio.sleep(self.settings.recovery_poll_seconds)
                else:
                    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def recover_once(self) -> int:
        """Takes over what is overdue and waits for its end. Returns the number of calls."""
        rows = await self._claim(AT_ONCE)
        await asyncio.gather(*map(self._take_over, rows))
        return len(rows)

    async def _claim_or_wait(self, free: int) -> list[asyncpg.Record]:
        try:
            return await self._claim(free)
        except UNAVAILABLE as error:
            log.warning("recovery_waits", reason=type(error).__name__)
            return []

    async def _claim(self, free: int) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self.pool.fetch(
            CLAIM, self.settings.call_lease_seconds, free
        )
        return rows

    async def _take_over(self, row: asyncpg.Record) -> None:
        """One call's fault is its own: it is tried again when its new lease ends."""
        trace.enter(str(row["trace_id"]))
        self.metrics.calls_recovered_total.inc()
        log.warning("call_taken_over", invocation_id=row["invocation_id"], attempt=row["attempt"])
        try:
            await self._deliver(row)
        except UNAVAILABLE as error:
            log.warning("recovery_waits", reason=type(error).__name__)
        except Exception:
            log.exception("recovery_failed", invocation_id=row["invocation_id"])

    async def _deliver(self, row: asyncpg.Record) -> None:
        if row["was_reset"]:  # what it asked is gone
            await self.delivery.reject(_call(row, b""), RESET)
            return
        if row["plugin_status"] == "disabled":
            await self.delivery.reject(_call(row, b""), "plugin_unavailable")
            return
        history = await self.pool.fetchval(
            HISTORY_BEFORE, row["dialog_id"], row["message_id"], self.settings.history_in_context
        )
        call = _call(row, with_history(row["request_payload"], history))
        await self.delivery.deliver(call, self.settings.call_deadline_seconds)


def _call(row: asyncpg.Record, request: bytes) -> StoredCall:
    return StoredCall(
        key=MessageKey(row["bot_id"], row["dialog_id"], row["message_id"]),
        plugin_id=row["plugin_id"],
        base_url=row["base_url"],
        invocation_id=row["invocation_id"],
        trace_id=row["trace_id"],
        attempt=row["attempt"],
        request=request,
    )
