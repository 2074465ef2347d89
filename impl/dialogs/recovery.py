"""Calls whose instance died are found by their lease and delivered again, with the same id."""

import asyncio
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson
import structlog

from generated.runtime import trace
from impl.db import UNAVAILABLE, Pool
from impl.dialogs.delivery import Delivery, StoredCall
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
    call.attempt, call.request_payload, plugins.base_url, dialogs.bot_id
"""

HISTORY_BEFORE = """
SELECT coalesce(jsonb_agg(jsonb_build_object(
    'sender_type', sender_type, 'payload', payload, 'created_at', created_at,
    'message_id', message_id, 'plugin_id', plugin_id) ORDER BY seq), '[]')
FROM (
    SELECT * FROM messages WHERE dialog_id = $1 AND seq < coalesce(
        (SELECT seq FROM messages WHERE dialog_id = $1 AND message_id = $2), 0)
    ORDER BY seq DESC LIMIT $3
) AS newest
"""


@dataclass(frozen=True, slots=True)
class Recovery:
    pool: Pool
    delivery: Delivery
    settings: Settings

    async def run(self) -> None:
        """Never ends; a database that is away is waited for."""
        while True:
            try:
                recovered = await self.recover_once()
            except UNAVAILABLE as error:
                log.warning("recovery_waits", reason=type(error).__name__)
                recovered = 0
            if not recovered:
                await asyncio.sleep(self.settings.recovery_poll_seconds)

    async def recover_once(self) -> int:
        """Takes over what is overdue, side by side. Returns the number of calls taken over."""
        rows = await self.pool.fetch(CLAIM, self.settings.call_lease_seconds, AT_ONCE)
        done = await asyncio.gather(*map(self._deliver, rows), return_exceptions=True)
        for failure in filter(None, done):
            if not isinstance(failure, UNAVAILABLE):
                raise failure
        return len(rows)

    async def _deliver(self, row: asyncpg.Record) -> None:
        trace.enter(str(row["trace_id"]))
        log.warning("call_taken_over", invocation_id=row["invocation_id"], attempt=row["attempt"])
        history = await self.pool.fetchval(
            HISTORY_BEFORE, row["dialog_id"], row["message_id"], self.settings.history_in_context
        )
        call = StoredCall(
            bot_id=row["bot_id"],
            dialog_id=row["dialog_id"],
            message_id=row["message_id"],
            plugin_id=row["plugin_id"],
            base_url=row["base_url"],
            invocation_id=row["invocation_id"],
            trace_id=row["trace_id"],
            attempt=row["attempt"],
            request=_request(row["request_payload"], history),
        )
        await self.delivery.deliver(call, self.settings.call_deadline_seconds)


def _request(kept: dict[str, Any], history: list[Any]) -> bytes:
    return orjson.dumps(kept | {"context": kept["context"] | {"messages": history}})
