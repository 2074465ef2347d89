"""SQL of the watcher. Any number of workers run it at once: each change is one UPDATE that says
what it changes from, by the database's clock, and the event joins it, so that each happens once."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from generated import models
from generated.events import PLUGIN_HEARTBEAT_MISSED, PLUGIN_RECOVERED
from impl.db import Executor
from impl.events.log import published
from impl.plugins.status import status_changed

LONGEST_PAUSE_SECONDS = 300
MANIFEST_SECONDS = 30  # the core reads a plugin's manifest no more often, all workers together
AT_ONCE = 100

# A plugin that was never well is not missed, nor is one that says itself that it is disabled.
_MISSED = "status IN ('active', 'degraded') AND disabled_at IS NULL AND outage_since IS NULL"
_SILENT = "greatest(last_heartbeat, registered_at) < now() - make_interval(secs => $2)"

READ_SILENT = f"""
SELECT id FROM plugins WHERE {_MISSED} AND {_SILENT.replace("$2", "$1")} LIMIT {AT_ONCE}
"""  # noqa: S608  # constants of our own

# A plugin whose probe's worker died is due again when that would have ended long since.
CLAIM = f"""
WITH due AS MATERIALIZED (
    SELECT id, coalesce(
        manifest_read_at <= now() - interval '{MANIFEST_SECONDS} seconds', true) AS reads_manifest
    FROM plugins
    WHERE next_probe_at <= now() AND disabled_at IS NULL AND status <> 'disabled'
    ORDER BY next_probe_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE plugins SET probe_claim = gen_random_uuid(),
    next_probe_at = now() + make_interval(secs => $1),
    manifest_read_at = CASE WHEN due.reads_manifest THEN now() ELSE manifest_read_at END
FROM due WHERE plugins.id = due.id
RETURNING plugins.id AS plugin_id, name || '@' || version AS plugin, probe_claim AS claim,
    base_url, manifest, manifest_hash, schema_version, output_schema, due.reads_manifest
"""  # noqa: S608  # constants of our own

RELEASE = """
UPDATE plugins SET probe_claim = NULL, next_probe_at = now() WHERE probe_claim = ANY($1)
"""


def _outage(reason: models.OutageReason, condition: str) -> str:
    """`$2` is the condition's, `$5` for people."""
    return f"""
WITH known AS (
    SELECT id, status FROM plugins WHERE id = $1 AND {_MISSED} AND {condition}
    FOR NO KEY UPDATE
), plugin AS (
    UPDATE plugins SET status = 'degraded', outage_since = clock_timestamp(),
        outage_reason = '{reason}', updated_at = now(),
        next_probe_at = CASE WHEN probe_claim IS NULL THEN now() ELSE next_probe_at END
    FROM known WHERE plugins.id = known.id
    RETURNING plugins.id AS plugin_id, name, version, outage_reason AS reason, last_heartbeat,
        outage_since, known.status AS was, plugins.status
)
{published(PLUGIN_HEARTBEAT_MISSED, "plugin", event_id="$3", trace_id="$4")}
{status_changed("plugin", reason=f"'{reason}'", detail="$5", trace_id="$4")}
SELECT plugin_id FROM plugin
"""  # noqa: S608  # constants of our own


OUTAGES: dict[models.OutageReason, str] = {
    "heartbeat": _outage("heartbeat", _SILENT),
    "health": _outage("health", "probe_failures >= $2"),
}

# The claim alone says whose result counts: whoever disables a plugin from outside takes it away.
# An outage ends by a good probe and a sign of life since it began; a registration is one too. Of a
# plugin that was not well until now, signs of life are due from now on. One that called itself
# degraded is so when its outage is over.
WELL_PROBED = f"""
WITH known AS (
    SELECT id, status, outage_since, outage_reason,
        status <> 'disabled' AND outage_since IS NOT NULL
            AND greatest(last_heartbeat, registered_at) > outage_since AS back
    FROM plugins WHERE id = $1 AND probe_claim = $2 FOR NO KEY UPDATE
), plugin AS (
    UPDATE plugins SET probe_failures = 0, probe_claim = NULL, updated_at = now(),
        next_probe_at = now() + make_interval(secs => $3 * (0.8 + 0.4 * random())),
        status = CASE WHEN known.back AND reported_status = 'degraded' THEN 'degraded'
            WHEN known.back OR known.status = 'registering' THEN 'active'
            ELSE plugins.status END,
        registered_at = CASE known.status WHEN 'registering' THEN clock_timestamp()
            ELSE registered_at END,
        outage_since = CASE WHEN NOT known.back THEN plugins.outage_since END,
        outage_reason = CASE WHEN NOT known.back THEN plugins.outage_reason END
    FROM known WHERE plugins.id = known.id
    RETURNING plugins.id AS plugin_id, name, version, known.outage_reason AS reason,
        known.outage_since, known.back, known.status AS was, plugins.status,
        extract(epoch FROM clock_timestamp() - known.outage_since)::float8 AS outage_seconds
), recovered AS (SELECT * FROM plugin WHERE back)
{published(PLUGIN_RECOVERED, "recovered", event_id="$4", trace_id="$5")}
{status_changed("plugin", reason="CASE WHEN back THEN 'recovered' ELSE 'probe' END", trace_id="$5")}
SELECT back FROM plugin
"""  # noqa: S608  # constants of our own

# The pause doubles with each failure in a row, and begins anew with a success.
ILL_PROBED = f"""
UPDATE plugins SET probe_failures = least(probe_failures, 1000) + 1, probe_claim = NULL,
    updated_at = now(), next_probe_at = now() + make_interval(secs => least(
        $3 * 2 ^ least(probe_failures, 20), {LONGEST_PAUSE_SECONDS}) * (0.8 + 0.4 * random()))
WHERE id = $1 AND probe_claim = $2
RETURNING probe_failures
"""  # noqa: S608  # constants of our own

# `$2` is the registered hash where what was served says the same.
SERVED = """
WITH plugin AS (
    UPDATE plugins SET served_manifest_hash = $2, updated_at = now()
    WHERE id = $1 AND manifest_hash = $3 AND served_manifest_hash IS DISTINCT FROM $2
    RETURNING id AS plugin_id, name, version, manifest_hash, served_manifest_hash
), audit_row AS (
    INSERT INTO audit_logs (source, action, details, trace_id, severity)
    SELECT 'core', 'plugin_manifest_differs', to_jsonb(plugin), $4::uuid, 'warning'
    FROM plugin WHERE served_manifest_hash <> manifest_hash
)
SELECT served_manifest_hash <> manifest_hash FROM plugin
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A plugin that is this worker's to probe, until `next_probe_at`. `manifest` as it was sent."""

    plugin_id: UUID
    plugin: str
    claim: UUID
    base_url: str
    manifest: dict[str, Any]
    manifest_hash: str
    schema_version: models.SchemaVersion
    output_schema: Any
    reads_manifest: bool


async def silent(executor: Executor, missed_seconds: float) -> list[UUID]:
    return [row["id"] for row in await executor.fetch(READ_SILENT, missed_seconds)]


async def claim(executor: Executor, seconds: float, most: int) -> list[Due]:
    return [Due(**row) for row in await executor.fetch(CLAIM, seconds, most)]


async def release(executor: Executor, claims: list[UUID]) -> None:
    """Gives probes back that will not end, for another worker to make at once."""
    await executor.execute(RELEASE, claims)


async def begin_outage(
    executor: Executor,
    plugin_id: UUID,
    reason: models.OutageReason,
    bound: float,
    *,
    trace_id: str,
    detail: str | None = None,
) -> bool:
    """Whether it was this call that did. `bound`: of silence in seconds, or of failures."""
    event_id = PLUGIN_HEARTBEAT_MISSED.new_id()
    # It may name a member as the plugin did, and the database takes no NUL.
    told = None if detail is None else detail.replace("\0", "\N{REPLACEMENT CHARACTER}")[:512]
    values = (plugin_id, bound, event_id, trace_id, told)
    return await executor.fetchval(OUTAGES[reason], *values) is not None


async def note_well(executor: Executor, due: Due, interval: float, trace_id: str) -> bool:
    """Whether an outage ended by it."""
    event_id = PLUGIN_RECOVERED.new_id()
    values = (due.plugin_id, due.claim, interval, event_id, trace_id)
    return await executor.fetchval(WELL_PROBED, *values) is True


async def note_ill(executor: Executor, due: Due, interval: float) -> int:
    """How many probes failed in a row; 0 where the plugin is no longer this worker's."""
    return await executor.fetchval(ILL_PROBED, due.plugin_id, due.claim, interval) or 0


async def note_served(executor: Executor, due: Due, served_hash: str, trace_id: str) -> bool:
    """Whether it differs from the registered one and nobody has said so yet."""
    values = (due.plugin_id, served_hash, due.manifest_hash, trace_id)
    return await executor.fetchval(SERVED, *values) is True
