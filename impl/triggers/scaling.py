"""TR-010: more waits in `plugin:invocations` than the workers can drain.

What waits there is both what scaling helps with: calls in the queue that may be made now, and
entries of the calls' streams that the relay has not published.
"""

import asyncio
from dataclasses import dataclass
from uuid import uuid4

import structlog

from generated.events import SCALING_ALERT, SCALING_ALERT_ENDED
from generated.metrics import Metrics
from generated.triggers import TR_010
from impl.db import UNAVAILABLE, Executor, Pool
from impl.events.log import published
from impl.settings import Settings
from impl.triggers.firing import fired

log = structlog.get_logger()

# Counted no further: an alert must not cost more when things go badly.
MOST_TIMES = 10

# `$1` is the threshold. A row in trigger_states is what makes it once: of several workers one
# inserts or deletes it, and the event joins that statement.
_WAITING = f"""
waiting AS MATERIALIZED (
    SELECT (SELECT count(*) FROM (
            SELECT FROM plugin_calls WHERE status = 'queued' AND available_at <= now()
            LIMIT $1::int * {MOST_TIMES}) AS calls) AS waiting_calls,
        (SELECT count(*) FROM (
            SELECT FROM outbox WHERE position IS NULL
                AND starts_with(stream, 'plugin:invocations:')
            LIMIT $1::int * {MOST_TIMES}) AS fresh)
        + (SELECT count(*) FROM (
            SELECT FROM outbox WHERE position IS NOT NULL AND published_at IS NULL
                AND starts_with(stream, 'plugin:invocations:')
            LIMIT $1::int * {MOST_TIMES}) AS unsent) AS waiting_entries
)
"""  # noqa: S608  # constants of our own

RAISE = f"""
WITH {_WAITING}, changed AS (
    INSERT INTO trigger_states (trigger_id) SELECT '{TR_010.id}' FROM waiting
    WHERE waiting_calls + waiting_entries > $1 ON CONFLICT DO NOTHING RETURNING trigger_id
), facts AS (SELECT waiting_calls, waiting_entries, $1::int AS threshold FROM waiting, changed)
{published(SCALING_ALERT, "facts", event_id="$2", trace_id="$3")}
SELECT waiting_calls, waiting_entries FROM facts
"""  # noqa: S608  # constants of our own

END = f"""
WITH {_WAITING}, changed AS (
    DELETE FROM trigger_states USING waiting
    WHERE trigger_id = '{TR_010.id}' AND (waiting_calls + waiting_entries) * 2 <= $1
    RETURNING trigger_id
), facts AS (SELECT waiting_calls, waiting_entries, $1::int AS threshold FROM waiting, changed)
{published(SCALING_ALERT_ENDED, "facts", event_id="$2", trace_id="$3")}
SELECT waiting_calls, waiting_entries FROM facts
"""  # noqa: S608  # constants of our own

RAISED = f"SELECT EXISTS (SELECT FROM trigger_states WHERE trigger_id = '{TR_010.id}')"  # noqa: S608  # a constant


@dataclass(frozen=True, slots=True)
class ScalingAlert:
    """Any number of workers may run it; the database decides that each change is told once."""

    pool: Pool
    settings: Settings
    metrics: Metrics

    async def run(self) -> None:
        """Never ends; a database that is away is waited for."""
        while True:
            try:
                await self.look()
            except UNAVAILABLE as error:
                log.warning("scaling_alert_waits", reason=type(error).__name__)
            await asyncio.sleep(self.settings.watch_seconds)

    async def look(self) -> None:
        if await self.pool.fetchval(RAISED):
            await self._change(END, SCALING_ALERT_ENDED.new_id())
        elif found := await self._change(RAISE, SCALING_ALERT.new_id()):
            fired(self.metrics, TR_010, **found)

    async def _change(self, statement: str, event_id: object) -> dict[str, int]:
        """What waits, where this call changed the alert; else nothing."""
        executor: Executor = self.pool
        threshold, trace_id = self.settings.scaling_alert_entries, str(uuid4())
        row = await executor.fetchrow(statement, threshold, event_id, trace_id)
        return dict(row) if row else {}
