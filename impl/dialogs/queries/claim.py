"""Which calls a worker makes next: those of instances that died, and those that wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from generated.events import PLUGIN_INVOCATION_STARTED
from impl.db import Executor
from impl.dialogs.call import StoredCall
from impl.dialogs.message import MessageKey
from impl.dialogs.queries.parts import MESSAGE
from impl.events.log import published

LATE_AT_ONCE = 50

# Each plugin has places of its own: one that hangs fills these and no other's.
#
# A call waits for every earlier one of its dialog. No lock is needed for that: a dialog's calls get
# their `seq` while the dialog is locked, so whoever sees a call sees all earlier ones, and one that
# another worker claims at this moment is still open in this statement's eyes.
#
# That question is a scalar one, since a NOT EXISTS becomes a join, and where the statistics are of
# an empty queue the join reads all that waits for each call that waits: 3,500 took three seconds.
#
# What is worth nothing any more needs no place: it is ended, whatever its plugin does.
#
# The database's clock alone decides that a lease is over; the attempt fences the old owner. The
# rows are picked in CTEs: as subqueries the join might run them, and lock, again and again.
CLAIM = f"""
WITH wanted AS MATERIALIZED (
    SELECT plugin_id FROM plugin_calls WHERE status = 'queued' AND available_at <= now()
    UNION
    SELECT plugin_id FROM plugin_calls WHERE status = 'in_progress' AND lease_until < now()
), free AS MATERIALIZED (
    SELECT plugin_id, least(coalesce(held.places, $2), $5) AS places
    FROM wanted LEFT JOIN unnest($3::uuid[], $4::int[]) AS held (plugin_id, places)
        USING (plugin_id)
), lost AS MATERIALIZED (
    SELECT free.plugin_id, due.id FROM free CROSS JOIN LATERAL (
        SELECT id FROM plugin_calls
        WHERE plugin_id = free.plugin_id AND status = 'in_progress' AND lease_until < now()
            AND deadline_at >= now()
        ORDER BY lease_until LIMIT free.places FOR UPDATE SKIP LOCKED
    ) AS due
), waiting AS MATERIALIZED (
    SELECT due.id FROM free CROSS JOIN LATERAL (
        SELECT id FROM plugin_calls AS call
        WHERE plugin_id = free.plugin_id AND status = 'queued' AND available_at <= now()
            AND deadline_at >= now()
            AND seq <= (
                SELECT open.seq FROM plugin_calls AS open
                WHERE open.dialog_id = call.dialog_id AND open.status IN ('queued', 'in_progress')
                ORDER BY open.seq LIMIT 1)
        ORDER BY available_at
        LIMIT free.places - (SELECT count(*) FROM lost WHERE lost.plugin_id = free.plugin_id)
        FOR UPDATE OF call SKIP LOCKED
    ) AS due
), late AS MATERIALIZED (
    SELECT id, status = 'queued' AS waited FROM plugin_calls
    WHERE status IN ('queued', 'in_progress') AND deadline_at < now()
        AND (status = 'queued' OR lease_until < now())
    ORDER BY deadline_at LIMIT {LATE_AT_ONCE} FOR UPDATE SKIP LOCKED
), due AS (
    SELECT id, false AS waited FROM lost UNION ALL SELECT id, true FROM waiting
    UNION ALL SELECT id, waited FROM late
), call AS (
    UPDATE plugin_calls AS call SET attempt = attempt + 1, status = 'in_progress',
        lease_until = now() + make_interval(secs => $1),
        started_at = CASE WHEN due.waited THEN now() ELSE started_at END
    FROM due WHERE call.id = due.id
    RETURNING call.*, due.waited
), begun AS (
    SELECT *, gen_random_uuid() AS event_id FROM call WHERE waited
)
{published(PLUGIN_INVOCATION_STARTED, "begun", event_id="event_id")}
SELECT call.dialog_id, call.message_id, call.plugin_id, call.invocation_id, call.trace_id,
    call.attempt, call.excused, call.request_payload, call.waited, call.replaces,
    greatest(extract(epoch FROM now() - call.available_at), 0)::float8 AS waited_seconds,
    call.deadline_at < now() AS overdue,
    plugins.base_url, plugins.status AS plugin_status,
    dialogs.bot_id, dialogs.reset_version <> call.reset_version AS was_reset
FROM call JOIN plugins ON plugins.id = call.plugin_id JOIN dialogs ON dialogs.id = call.dialog_id
"""  # noqa: S608  # constants of our own

# What was said since the message came answers earlier ones: its turn comes after theirs.
HISTORY_BEFORE = f"""
WITH asked AS (SELECT seq FROM messages WHERE dialog_id = $1 AND message_id = $2)
SELECT coalesce(jsonb_agg({MESSAGE} ORDER BY seq), '[]')
FROM (
    SELECT messages.* FROM messages, asked
    WHERE dialog_id = $1 AND (messages.seq < asked.seq OR sender_type <> 'user')
    ORDER BY messages.seq DESC LIMIT $3
) AS newest
"""  # noqa: S608  # constants of our own


@dataclass(frozen=True, slots=True)
class Claimed:
    """A call that is this worker's now. `waited`: from the queue, else of an instance that died."""

    call: StoredCall
    kept: dict[str, Any]
    waited: bool
    waited_seconds: float
    overdue: bool
    was_reset: bool
    plugin_disabled: bool


@dataclass(frozen=True, slots=True)
class Places:
    """How many calls to claim of each plugin: `free` of those named, `other` of the rest."""

    free: Mapping[UUID, int]
    other: int
    most: int  # at once, whatever is free


async def claim(executor: Executor, lease_seconds: float, places: Places) -> list[Claimed]:
    rows = await executor.fetch(
        CLAIM,
        lease_seconds,
        places.other,
        list(places.free),
        list(places.free.values()),
        places.most,
    )
    return [_claimed(row) for row in rows]


def _claimed(row: asyncpg.Record) -> Claimed:
    call = StoredCall(
        key=MessageKey(row["bot_id"], row["dialog_id"], row["message_id"]),
        plugin_id=row["plugin_id"],
        base_url=row["base_url"],
        invocation_id=row["invocation_id"],
        trace_id=row["trace_id"],
        attempt=row["attempt"],
        request=b"",
        replaces=row["replaces"],
        excused=row["excused"],
    )
    return Claimed(
        call=call,
        kept=row["request_payload"],
        waited=row["waited"],
        waited_seconds=row["waited_seconds"],
        overdue=row["overdue"],
        was_reset=row["was_reset"],
        plugin_disabled=row["plugin_status"] == "disabled",
    )


async def history_before(executor: Executor, call: StoredCall, messages: int) -> object:
    """What was said before the call's message is answered, as JSON; nothing where that is gone."""
    key = call.key
    return await executor.fetchval(HISTORY_BEFORE, key.dialog_id, key.message_id, messages)
