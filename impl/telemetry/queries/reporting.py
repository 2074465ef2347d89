from enum import Enum, auto
from uuid import UUID

import asyncpg

from generated import models
from generated.events import PLUGIN_REPORTED
from generated.runtime import emits
from impl.db import Executor
from impl.events.log import told

AHEAD_MINUTES = 5  # what clocks may differ by

# The id decides the race: of several, one writes everything. What a plugin still says of a dialog
# that is being erased is not kept; the row goes with the dialog.
REPORT = f"""
WITH reported AS (
    INSERT INTO plugin_events
        (id, plugin_id, source, event_type, severity, payload, dialog_id, occurred_at, fingerprint)
    SELECT $1, $2, 'plugin', $3, $4,
        CASE WHEN EXISTS (SELECT FROM dialogs WHERE id = $6 AND erased_at IS NOT NULL)
            THEN '{{}}' ELSE $5::jsonb END,
        $6, $7::timestamptz, $8
    WHERE $7::timestamptz <= now() + interval '{AHEAD_MINUTES} minutes'
    ON CONFLICT (id) DO NOTHING
    RETURNING id AS event_id, plugin_id, dialog_id, event_type, severity, occurred_at,
        octet_length(payload::text) AS size
)
{told(PLUGIN_REPORTED, "reported", event_id="event_id", trace_id="$9", occurred_at="occurred_at")}
SELECT EXISTS (SELECT FROM reported) AS stored,
    $7::timestamptz <= now() + interval '{AHEAD_MINUTES} minutes' AS in_time
"""  # noqa: S608  # constants of our own

READ_FINGERPRINT = "SELECT fingerprint FROM plugin_events WHERE id = $1 AND plugin_id = $2"


class Reported(Enum):
    """What became of a reported event."""

    ACCEPTED = auto()
    DUPLICATE = auto()
    REUSED = auto()
    AHEAD = auto()


async def report(
    executor: Executor,
    *,
    plugin_id: UUID,
    body: models.PluginEventV1,
    fingerprint: bytes,
    trace_id: str,
) -> Reported:
    """Stores the event once. What another request stored meanwhile is read by a new statement."""
    emits.require(PLUGIN_REPORTED.name)  # the id is the plugin's: nobody asks for a new one
    values = (body.event_id, plugin_id, body.event_type, body.severity, body.payload,
              body.dialog_id, body.occurred_at, fingerprint, trace_id)  # fmt: skip
    try:
        row = await executor.fetchrow(REPORT, *values)
    except asyncpg.UniqueViolationError:  # of an event of the core's that is no plugin's
        return Reported.REUSED
    if row["stored"]:
        return Reported.ACCEPTED
    if not row["in_time"]:
        return Reported.AHEAD
    stored = await executor.fetchval(READ_FINGERPRINT, body.event_id, plugin_id)
    return Reported.DUPLICATE if stored == fingerprint else Reported.REUSED
