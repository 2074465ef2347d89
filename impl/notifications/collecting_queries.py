"""SQL of the collector, by the outbox's primary key."""

from dataclasses import dataclass
from typing import cast

import asyncpg

from generated.events import PLUGIN_FAILED, PLUGIN_INVOCATION_COMPLETED, PLUGIN_TIMEOUT
from generated.runtime.triggers import Severity
from impl.db import Executor

ANSWERED = "message_answered"
_ENDS = ", ".join(
    f"'{event.name}'" for event in (PLUGIN_INVOCATION_COMPLETED, PLUGIN_FAILED, PLUGIN_TIMEOUT)
)
_RANK = "array_position('{{info,warning,critical}}'::text[], {})"

NEWEST = """
SELECT newest FROM (SELECT max(id) AS newest FROM outbox) AS rows, notification_cursor
WHERE newest > outbox_id
"""

# A transaction's locks are given up after all can see what it committed.
WRITERS = """
SELECT DISTINCT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND relation = 'outbox'::regclass AND mode = 'RowExclusiveLock'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

# Of a worker that is stopped in the midst of it the server takes the lock away.
IMPATIENT = "SET LOCAL idle_in_transaction_session_timeout = '5s'"
LOCK_CURSOR = "SELECT outbox_id FROM notification_cursor FOR NO KEY UPDATE SKIP LOCKED"
BOUND = """
SELECT max(id) FROM (
    SELECT id FROM outbox WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3) AS batch
"""
MOVE = "UPDATE notification_cursor SET outbox_id = $1"

# A subscription is told what happened since it was made. What is sent to it is what the stream has.
# A callback is sent once for each message whose answer comes late: from the queue, or by another
# instance than the one that was asked, which died. Of a call that another replaced the other one's
# end counts, and a critical failure tells of a call that had ended before.
INSERT = f"""
WITH event AS MATERIALIZED (
    SELECT id, event_id, body, created_at, body->>'event_type' AS event_type,
        body->>'severity' AS severity, (body->>'plugin_id')::uuid AS plugin_id
    FROM outbox WHERE id > $1 AND id <= $2
), fitting AS (
    SELECT subscription.id AS subscription_id, event_id, event_type, severity,
        jsonb_build_object('type', event_type, 'timestamp', body->'occurred_at', 'data', body)
            AS body
    FROM event JOIN notification_subscriptions AS subscription
        ON bot_id IS NULL AND disabled_at IS NULL AND event.created_at >= subscription.created_at
        AND (event_types = '{{}}' OR event_type = ANY(event_types))
        AND {_RANK.format("severity")} >= {_RANK.format("min_severity")}
        AND (subscription.owner IS NULL OR subscription.owner = (
            SELECT metadata->>'owner' FROM plugins WHERE plugins.id = event.plugin_id))
), answered AS (
    SELECT subscription.id AS subscription_id, event_id, '{ANSWERED}' AS event_type,
        'info' AS severity,
        jsonb_build_object('type', '{ANSWERED}', 'timestamp', body->'occurred_at', 'data',
            jsonb_build_object('dialog_id', call.dialog_id, 'message_id', call.message_id,
                'status', CASE call.status WHEN 'succeeded' THEN 'accepted' ELSE 'failed' END,
                'trace_id', call.trace_id)) AS body
    FROM event
    JOIN plugin_calls AS call ON call.plugin_id = event.plugin_id
        AND call.invocation_id = (body->'payload'->>'invocation_id')::uuid
    JOIN dialogs ON dialogs.id = call.dialog_id AND dialogs.erased_at IS NULL
    JOIN notification_subscriptions AS subscription ON subscription.bot_id = dialogs.bot_id
        AND disabled_at IS NULL AND event.created_at >= subscription.created_at
    WHERE event_type IN ({_ENDS}) AND severity <> 'critical' AND body->>'source' = 'core'
        AND (call.queued_at IS NOT NULL OR call.attempt > 1) AND call.message_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM plugin_calls AS second
            WHERE second.dialog_id = call.dialog_id AND second.replaces = call.invocation_id)
), made AS (
    INSERT INTO notification_deliveries (subscription_id, event_id, event_type, severity, body)
    SELECT * FROM fitting UNION ALL SELECT * FROM answered
    ON CONFLICT DO NOTHING
    RETURNING event_id
), counted AS (SELECT event_id, count(*) AS deliveries FROM made GROUP BY event_id)
SELECT event_type, severity, event_id, plugin_id, body->>'trace_id' AS trace_id,
    coalesce(deliveries, 0) AS deliveries
FROM event LEFT JOIN counted USING (event_id)
WHERE deliveries IS NOT NULL OR severity = 'critical'
    OR event_type = ANY($3::text[]) AND body->>'source' = 'core'
ORDER BY id
"""  # noqa: S608  # constants of our own

# What waits for a subscription that takes nothing any more waits for good.
PURGE = """
WITH purged AS (
    DELETE FROM notification_deliveries WHERE id IN (
        (SELECT id FROM notification_deliveries
        WHERE status <> 'pending' AND finished_at < now() - make_interval(secs => $1 * 86400)
        ORDER BY finished_at LIMIT $2)
        UNION ALL
        (SELECT delivery.id FROM notification_subscriptions AS subscription
        JOIN notification_deliveries AS delivery ON subscription_id = subscription.id
            AND delivery.status = 'pending'
            AND next_attempt_at < now() - make_interval(secs => $1 * 86400)
        WHERE disabled_at IS NOT NULL LIMIT $2))
    RETURNING id)
SELECT count(*) FROM purged
"""
PURGED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Batch:
    """Ids of the outbox: above `after`, and `until` included."""

    after: int
    until: int


@dataclass(frozen=True, slots=True)
class Notice:
    """An event that somebody is told, if only in the log."""

    event_type: str
    severity: Severity
    event_id: str
    plugin_id: str | None
    trace_id: str
    deliveries: int


async def newest(executor: Executor) -> int | None:
    """The newest id, where it was not looked at yet. Others below it may be committed later."""
    return cast("int | None", await executor.fetchval(NEWEST))


async def writers(executor: Executor) -> set[str]:
    """The transactions that may have written to the outbox and have not ended."""
    return {row["virtualtransaction"] for row in await executor.fetch(WRITERS)}


async def lock_batch(connection: asyncpg.Connection, newest_id: int, most: int) -> Batch | None:
    """What is to be looked at next, nobody else's until the transaction ends."""
    await connection.execute(IMPATIENT)
    after = await connection.fetchval(LOCK_CURSOR)
    until = None if after is None else await connection.fetchval(BOUND, after, newest_id, most)
    return None if until is None else Batch(after, until)


async def insert_deliveries(
    connection: asyncpg.Connection, batch: Batch, told: list[str]
) -> list[Notice]:
    """`told`: the types of events that the log is told whoever is subscribed."""
    rows = await connection.fetch(INSERT, batch.after, batch.until, told)
    return [Notice(**row) for row in rows]


async def move_cursor(connection: asyncpg.Connection, batch: Batch) -> None:
    await connection.execute(MOVE, batch.until)


async def purge(executor: Executor, days: float, most: int = PURGED_AT_ONCE) -> bool:
    """Of what ended longer ago, some. Whether there may be more."""
    purged: int = await executor.fetchval(PURGE, days, most)
    return purged == most
