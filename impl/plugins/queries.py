from dataclasses import dataclass
from typing import Any
from uuid import UUID

from generated import models
from generated.events import PLUGIN_HEARTBEAT, PLUGIN_REGISTERED
from impl.db import Executor
from impl.events.log import published
from impl.plugins.calls.checks import PinnedSchema

# Of two registrations the second sees what the first stored. FOR UPDATE would also hold up every
# message to the plugin: the foreign key of its call locks the row FOR KEY SHARE.
LOCK_VERSION = """
SELECT id, manifest_hash, deleted_at IS NOT NULL AS deleted FROM plugins
WHERE name = $1 AND version = $2 FOR NO KEY UPDATE
"""

# A version that another request inserts meanwhile returns no row: the caller then locks that one.
INSERT = """
INSERT INTO plugins (name, version, intents, status, base_url, manifest, manifest_hash,
    heartbeat_interval_sec, supported_schema_versions, scopes, metadata, output_schema,
    output_schema_digest, last_heartbeat)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, NULL)
ON CONFLICT (name, version) DO NOTHING
RETURNING id
"""

# A disabled plugin stays so; a good probe makes any other active.
UPDATE = """
UPDATE plugins SET intents = $2, base_url = $4, manifest = $5, manifest_hash = $6,
    heartbeat_interval_sec = $7, supported_schema_versions = $8, scopes = $9, metadata = $10,
    output_schema = $11, output_schema_digest = $12,
    status = CASE WHEN disabled_at IS NULL AND $3 = 'active' THEN 'active' ELSE status END,
    updated_at = now()
WHERE id = $1
RETURNING status
"""

FIND = """
SELECT id FROM plugins
WHERE (id::text = lower($1) OR name || '@' || version = $1) AND deleted_at IS NULL
"""

REGISTERED = f"""
WITH plugin AS (
    SELECT id AS plugin_id, name, version, manifest_hash, status FROM plugins WHERE id = $3
)
{published(PLUGIN_REGISTERED, "plugin", event_id="$1", trace_id="$2")}
SELECT event_id FROM event
"""  # noqa: S608  # constants of our own

# The plugin's own token proves who it is: it stands in the WHERE as `$2`, beside the path's id.
HEARTBEAT = f"""
WITH plugin AS (
    UPDATE plugins SET last_heartbeat = now(), updated_at = now(),
        status = CASE WHEN disabled_at IS NOT NULL THEN 'disabled' ELSE $3 END
    WHERE id = $1 AND id = $2 AND deleted_at IS NULL
    RETURNING id AS plugin_id, $3::text AS reported, status, $6::float8 AS latency_ms,
        $7::int8 AS queue_depth
)
{published(PLUGIN_HEARTBEAT, "plugin", event_id="$4", trace_id="$5")}
SELECT status FROM plugin
"""  # noqa: S608  # constants of our own

# Of those that are routed to; a row is never removed, so its id serves as the place in the order.
LIST_CALLABLE = """
SELECT id AS plugin_id, name, version, status, last_heartbeat,
    jsonb_path_query_array(intents, '$[*].tag') AS intents
FROM plugins
WHERE status IN ('active', 'degraded') AND deleted_at IS NULL AND (
    $1::uuid IS NULL OR (name, version) > (SELECT name, version FROM plugins WHERE id = $1))
ORDER BY name, version LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Version:
    """A registered version of a plugin, locked by the caller's transaction."""

    id: UUID
    manifest_hash: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class Registration:
    """What a registration stores. `status` is what the probe of `/health` found.

    `pinned` is its output schema as it is now, wherever it came from.
    """

    request: models.PluginRegistrationRequestV1
    manifest: dict[str, Any]
    manifest_hash: str
    status: str
    pinned: PinnedSchema | None = None

    @property
    def values(self) -> tuple[object, ...]:
        """In the order in which both statements take them, from `base_url` on."""
        manifest = self.request.manifest
        telemetry = manifest.telemetry or models.ManifestTelemetryV1()
        return (
            self.request.base_url,
            self.manifest,
            self.manifest_hash,
            telemetry.heartbeat_interval_seconds,
            manifest.supported_schema_versions,
            self.request.scopes,
            self.manifest.get("metadata") or {},
            None if self.pinned is None else self.pinned.schema,
            None if self.pinned is None else self.pinned.digest,
        )


async def lock_version(executor: Executor, name: str, version: str) -> Version | None:
    row = await executor.fetchrow(LOCK_VERSION, name, version)
    return None if row is None else Version(**row)


async def insert_plugin(executor: Executor, registration: Registration) -> UUID | None:
    request, intents = registration.request, registration.manifest["intents"]
    found: UUID | None = await executor.fetchval(
        INSERT, request.name, request.version, intents, registration.status, *registration.values
    )
    return found


async def update_plugin(executor: Executor, plugin_id: UUID, registration: Registration) -> None:
    intents = registration.manifest["intents"]
    await executor.fetchval(UPDATE, plugin_id, intents, registration.status, *registration.values)


async def find_plugin(executor: Executor, id_or_version: str) -> UUID | None:
    """The plugin of this id, or of this `name@version`; None where it is absent or deleted."""
    found: UUID | None = await executor.fetchval(FIND, id_or_version)
    return found


async def append_registered(executor: Executor, plugin_id: UUID, trace_id: str) -> None:
    await executor.fetchval(REGISTERED, PLUGIN_REGISTERED.new_id(), trace_id, plugin_id)


async def store_heartbeat(
    executor: Executor,
    *,
    token_plugin_id: UUID,
    plugin_id: UUID,
    body: models.PluginHeartbeatRequestV1,
    trace_id: str,
) -> models.PluginStatus | None:
    """The status that the core now holds; None where the plugin is absent or another's."""
    status: models.PluginStatus | None = await executor.fetchval(
        HEARTBEAT,
        plugin_id,
        token_plugin_id,
        body.status,
        PLUGIN_HEARTBEAT.new_id(),
        trace_id,
        body.latency_ms,
        body.queue_depth,
    )
    return status


async def list_callable(executor: Executor, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Up to `limit` plugins behind the one named `after`, each a PluginManifestSummaryV1."""
    return [dict(row) for row in await executor.fetch(LIST_CALLABLE, after, limit)]
