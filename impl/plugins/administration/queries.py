"""SQL of what operators do with plugins. Each change is one UPDATE that says what it changes from:
of two operators at once the second finds it done."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from generated import models
from generated.events import PLUGIN_DISABLED
from impl.db import Executor
from impl.events.log import published
from impl.plugins.status import WELL, status_changed

_COLUMNS = """id AS plugin_id, name, version, status, base_url, scopes, manifest_hash,
    last_heartbeat, created_at, disabled_at, deleted_at, schema_version, is_fallback,
    outage_since, outage_reason, served_manifest_hash, output_schema_digest"""

READ = f"SELECT {_COLUMNS} FROM plugins WHERE id = $1"  # noqa: S608  # constants of our own

# Rows never go: the last plugin of a page tells where the next begins.
LIST = f"""
SELECT {_COLUMNS} FROM plugins
WHERE deleted_at IS NULL AND ($1::text IS NULL OR status = $1) AND (
    $2::uuid IS NULL OR (created_at, id) < (SELECT created_at, id FROM plugins WHERE id = $2)
)
ORDER BY created_at DESC, id DESC LIMIT $3
"""  # noqa: S608  # constants of our own

# What was probed may have moved meanwhile: then the next probe or heartbeat tells. Signs of life
# are due from now on, however long it gave none.
ENABLE = f"""
WITH known AS (
    SELECT id, status FROM plugins WHERE id = $1 AND deleted_at IS NULL AND status = 'disabled'
    FOR NO KEY UPDATE
), plugin AS (
    UPDATE plugins SET disabled_at = NULL, updated_at = now(), registered_at = clock_timestamp(),
        next_probe_at = now(), {WELL},
        status = CASE WHEN $2 AND base_url = $3 THEN 'active' ELSE 'registering' END
    FROM known WHERE plugins.id = known.id
    RETURNING plugins.id AS plugin_id, known.status AS was, plugins.status
)
{status_changed("plugin", reason="'enabled'", trace_id="$4")}
SELECT plugin_id FROM plugin
"""  # noqa: S608  # constants of our own

DISABLE = f"""
WITH known AS (
    SELECT id, status FROM plugins
    WHERE id = $1 AND deleted_at IS NULL AND disabled_at IS NULL FOR NO KEY UPDATE
), plugin AS (
    UPDATE plugins SET status = 'disabled', disabled_at = now(), updated_at = now(), {WELL}
    FROM known WHERE plugins.id = known.id
    RETURNING plugins.id AS plugin_id, name, version, $2::text AS reason, false AS deleted,
        plugins.metadata->>'owner' AS owner, $5::text AS severity,
        known.status AS was, plugins.status
)
{published(PLUGIN_DISABLED, "plugin", event_id="$3", trace_id="$4")}
{status_changed("plugin", reason="'disabled'", trace_id="$4")}
SELECT plugin_id FROM plugin
"""  # noqa: S608  # constants of our own

DELETE = f"""
WITH known AS (
    SELECT id, status FROM plugins WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE
), plugin AS (
    UPDATE plugins SET status = 'disabled', disabled_at = coalesce(disabled_at, now()),
        deleted_at = now(), updated_at = now(), {WELL}
    FROM known WHERE plugins.id = known.id
    RETURNING plugins.id AS plugin_id, name, version, $2::text AS reason, true AS deleted,
        plugins.metadata->>'owner' AS owner, 'warning' AS severity,
        known.status AS was, plugins.status
)
{published(PLUGIN_DISABLED, "plugin", event_id="$3", trace_id="$4")}
{status_changed("plugin", reason="'deleted'", trace_id="$4")}
SELECT plugin_id FROM plugin
"""  # noqa: S608  # constants of our own


@dataclass(frozen=True, slots=True)
class Plugin:
    """As operators see it."""

    plugin_id: UUID
    name: str
    version: str
    status: models.PluginStatus
    base_url: str
    scopes: list[str]
    manifest_hash: str
    last_heartbeat: datetime | None
    created_at: datetime
    disabled_at: datetime | None
    deleted_at: datetime | None
    schema_version: models.SchemaVersion
    is_fallback: bool
    outage_since: datetime | None
    outage_reason: models.OutageReason | None
    served_manifest_hash: str | None
    output_schema_digest: str | None

    @property
    def served_manifest(self) -> str | None:
        """Whether it serves the manifest that it registered; None where it was not read yet."""
        if self.served_manifest_hash is None:
            return None
        return "same" if self.served_manifest_hash == self.manifest_hash else "differs"


async def read(executor: Executor, plugin_id: UUID) -> Plugin | None:
    """Deleted ones too."""
    row = await executor.fetchrow(READ, plugin_id)
    return None if row is None else Plugin(**row)


async def list_plugins(
    executor: Executor,
    *,
    status: models.PluginStatus | None = None,
    after: UUID | None = None,
    limit: int | None = None,
) -> list[Plugin]:
    """Those that were registered last first; without a limit all of them."""
    return [Plugin(**row) for row in await executor.fetch(LIST, status, after, limit)]


async def enable(
    executor: Executor, plugin_id: UUID, *, healthy: bool, base_url: str, trace_id: str
) -> bool:
    """Whether it was this call that did, as all below."""
    return await executor.fetchval(ENABLE, plugin_id, healthy, base_url, trace_id) is not None


async def disable(
    executor: Executor,
    plugin_id: UUID,
    reason: str,
    trace_id: str,
    severity: models.Severity = "warning",
) -> bool:
    values = (plugin_id, reason, PLUGIN_DISABLED.new_id(), trace_id, severity)
    return await executor.fetchval(DISABLE, *values) is not None


async def delete(executor: Executor, plugin_id: UUID, reason: str | None, trace_id: str) -> bool:
    event_id = PLUGIN_DISABLED.new_id()
    return await executor.fetchval(DELETE, plugin_id, reason, event_id, trace_id) is not None
