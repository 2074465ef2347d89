"""Calls that failed in a row by the plugin's own fault, counted where every event is seen once.

Being away or late is no reason to disable a plugin: it comes back by itself, and the watcher and
the breaker see to it meanwhile. What counts are answers that break the contract, and refusals.
"""

from uuid import UUID, uuid4

import asyncpg

from generated import models
from generated.events import PLUGIN_FAILED, PLUGIN_INVOCATION_COMPLETED
from impl.db import Executor
from impl.events.log import published
from impl.triggers.lifecycle import FORGET_FAILURES, TakenOut, take_out

OWN_FAULTS: tuple[models.PluginErrorCode, ...] = (
    "plugin_rejected",
    "plugin_answer_invalid",
    "plugin_answer_too_large",
    "plugin_output_invalid",
)

# Events `$1` to `$2` of the outbox, of which each is seen in one transaction only. A success among
# them begins the count anew; one without leaves what was counted before. What the core publishes
# when it fires is about a call that was counted.
COUNT = f"""
WITH ended AS (
    SELECT id, (body->>'plugin_id')::uuid AS plugin_id,
        body->>'event_type' = '{PLUGIN_INVOCATION_COMPLETED.name}' AS good
    FROM outbox WHERE id > $1 AND id <= $2 AND body->>'source' = 'core' AND (
        body->>'event_type' = '{PLUGIN_INVOCATION_COMPLETED.name}'
        OR body->>'event_type' = '{PLUGIN_FAILED.name}' AND body->>'severity' <> 'critical'
            AND body->'payload'->>'status' = 'failed'
            AND body->'payload'->>'error_code' = ANY($3::text[]))
), latest AS (
    SELECT plugin_id, max(id) FILTER (WHERE good) AS good_id FROM ended GROUP BY plugin_id
), run AS (
    SELECT plugin_id, good_id, count(*) FILTER (WHERE id > coalesce(good_id, 0)) AS failed
    FROM ended JOIN latest USING (plugin_id) GROUP BY plugin_id, good_id
), over AS (
    DELETE FROM plugin_failures USING run
    WHERE plugin_failures.plugin_id = run.plugin_id AND good_id IS NOT NULL AND failed = 0
)
INSERT INTO plugin_failures (plugin_id, in_a_row)
SELECT plugin_id, failed FROM run WHERE failed > 0 ORDER BY plugin_id
ON CONFLICT (plugin_id) DO UPDATE SET in_a_row = excluded.in_a_row + CASE
    WHEN (SELECT good_id FROM run WHERE run.plugin_id = plugin_failures.plugin_id) IS NULL
    THEN plugin_failures.in_a_row ELSE 0 END
RETURNING plugin_id, in_a_row
"""  # noqa: S608  # constants of our own

# The latest of the calls that failed is what the event is about.
CRITICAL = f"""
WITH call AS (
    SELECT call.*, 'critical' AS severity FROM outbox
    JOIN plugin_calls AS call ON call.plugin_id = $2
        AND call.invocation_id = (body->'payload'->>'invocation_id')::uuid
    WHERE outbox.id > $3 AND outbox.id <= $4 AND (body->>'plugin_id')::uuid = $2
        AND body->>'source' = 'core' AND body->>'event_type' = '{PLUGIN_FAILED.name}'
    ORDER BY outbox.id DESC LIMIT 1
)
{published(PLUGIN_FAILED, "call", event_id="$1")}
SELECT trace_id FROM call
"""  # noqa: S608  # constants of our own

ENABLED = "SELECT disabled_at IS NULL AND deleted_at IS NULL FROM plugins WHERE id = $1"


async def judge(
    connection: asyncpg.Connection, after: int, until: int, most: int
) -> dict[UUID, TakenOut]:
    """Count the events in (`after`, `until`]; whoever failed `most` times in a row is taken out.

    In the transaction that notes that they were seen, so that none is counted twice.
    """
    rows = await connection.fetch(COUNT, after, until, list(OWN_FAULTS))
    failing = [row["plugin_id"] for row in rows if row["in_a_row"] >= most]
    return {plugin_id: await _fail(connection, plugin_id, after, until, most)
            for plugin_id in failing}  # fmt: skip


async def _fail(
    connection: Executor, plugin_id: UUID, after: int, until: int, most: int
) -> TakenOut:
    await connection.execute(FORGET_FAILURES, plugin_id)
    if not await connection.fetchval(ENABLED, plugin_id):
        return TakenOut(disabled=False, token_ids=[])
    found = await connection.fetchval(CRITICAL, PLUGIN_FAILED.new_id(), plugin_id, after, until)
    trace_id = str(found or uuid4())  # none: the calls' user was erased meanwhile
    return await take_out(connection, plugin_id, f"{most} calls in a row failed", trace_id)
