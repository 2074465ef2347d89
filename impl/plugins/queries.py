from dataclasses import dataclass
from typing import Any
from uuid import UUID

from generated import models
from generated.events import PLUGIN_HEARTBEAT, PLUGIN_REGISTERED
from impl.db import Executor
from impl.events.log import published
from impl.plugins.calls.checks import PinnedSchema
from impl.plugins.manifests import Adapted
from impl.plugins.status import status_changed

# Of two registrations the second sees what the first stored. FOR UPDATE would also hold up every
# message to the plugin: the foreign key of its call locks the row FOR KEY SHARE.
LOCK_VERSION = """
SELECT id, manifest, deleted_at IS NOT NULL AS deleted FROM plugins
WHERE name = $1 AND version = $2 FOR NO KEY UPDATE
"""

# A version that another request inserts meanwhile returns no row: the caller then locks that one.
INSERT = """
INSERT INTO plugins (name, version, intents, status, base_url, manifest, manifest_hash,
    heartbeat_interval_sec, supported_schema_versions, scopes, metadata, schema_version,
    is_fallback, supports_retry, output_schema, output_schema_digest, sticky_bonus)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (name, version) DO NOTHING
RETURNING id
"""

# A disabled plugin stays so; a good probe makes any other active, but ends no outage: the watcher
# does, at once, since a registration is a sign of life.
UPDATE = f"""
WITH known AS (SELECT id, status FROM plugins WHERE id = $1), plugin AS (
    UPDATE plugins SET intents = $2, base_url = $4, manifest = $5, manifest_hash = $6,
        heartbeat_interval_sec = $7, supported_schema_versions = $8, scopes = $9, metadata = $10,
        schema_version = $11, is_fallback = $12, supports_retry = $13, output_schema = $14,
        output_schema_digest = $15, sticky_bonus = $16, reported_status = NULL,
        status = CASE WHEN disabled_at IS NOT NULL THEN plugins.status
            WHEN outage_since IS NOT NULL THEN 'degraded'
            WHEN $3 = 'active' THEN 'active' ELSE plugins.status END,
        registered_at = clock_timestamp(), probe_failures = 0, probe_claim = NULL,
        next_probe_at = now(), served_manifest_hash = NULL, manifest_read_at = NULL,
        updated_at = now()
    FROM known WHERE plugins.id = known.id
    RETURNING plugins.id AS plugin_id, known.status AS was, plugins.status
)
{status_changed("plugin", reason="'registered'", trace_id="$17")}
SELECT status FROM plugin
"""  # noqa: S608  # constants of our own

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
# Whom the core takes for ill a heartbeat does not make well, but it is probed at once. The clock is
# read behind the lock: a sign of life that waited for the outage's beginning came after it.
HEARTBEAT = f"""
WITH known AS (
    SELECT id, status FROM plugins WHERE id = $1 AND id = $2 AND deleted_at IS NULL
    FOR NO KEY UPDATE
), plugin AS (
    UPDATE plugins SET last_heartbeat = clock_timestamp(), updated_at = now(),
        reported_status = $3,
        status = CASE WHEN disabled_at IS NOT NULL OR $3 = 'disabled' THEN 'disabled'
            WHEN outage_since IS NOT NULL THEN 'degraded' ELSE $3 END,
        next_probe_at = CASE WHEN outage_since IS NOT NULL AND probe_claim IS NULL THEN now()
            ELSE next_probe_at END
    FROM known WHERE plugins.id = known.id
    RETURNING plugins.id AS plugin_id, $3::text AS reported, known.status AS was, plugins.status,
        $6::float8 AS latency_ms, $7::int8 AS queue_depth
)
{published(PLUGIN_HEARTBEAT, "plugin", event_id="$4", trace_id="$5")}
{status_changed("plugin", reason="'heartbeat'", trace_id="$5", source="plugin")}
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
    manifest: dict[str, Any]  # as it was sent
    deleted: bool


@dataclass(frozen=True, slots=True)
class Registration:
    """What a registration stores. `status` is what the probe of `/health` found.

    The manifest is stored as it was sent, with the hash of that; the rest is of the adapted one.
    `pinned` is its output schema as it is now, wherever it came from.
    """

    request: models.PluginRegistrationRequestV1
    adapted: Adapted
    manifest_hash: str
    schema_version: models.SchemaVersion
    status: str
    pinned: PinnedSchema | None = None

    @property
    def intents(self) -> list[dict[str, Any]]:
        return [intent.model_dump(mode="json") for intent in self.adapted.manifest.intents]

    @property
    def values(self) -> tuple[object, ...]:
        """In the order in which both statements take them, from `base_url` on."""
        manifest = self.adapted.manifest
        telemetry = manifest.telemetry or models.ManifestTelemetryV1()
        return (
            self.request.base_url,
            self.request.manifest,
            self.manifest_hash,
            telemetry.heartbeat_interval_seconds,
            manifest.supported_schema_versions,
            self.request.scopes,
            manifest.metadata.model_dump(exclude_none=True) if manifest.metadata else {},
            self.schema_version,
            self.adapted.is_fallback,
            self.adapted.supports_retry,
            None if self.pinned is None else self.pinned.schema,
            None if self.pinned is None else self.pinned.digest,
            manifest.sticky_bonus,
        )


async def lock_version(executor: Executor, name: str, version: str) -> Version | None:
    row = await executor.fetchrow(LOCK_VERSION, name, version)
    return None if row is None else Version(**row)


async def insert_plugin(executor: Executor, registration: Registration) -> UUID | None:
    request = registration.request
    found: UUID | None = await executor.fetchval(
        INSERT,
        request.name,
        request.version,
        registration.intents,
        registration.status,
        *registration.values,
    )
    return found


async def update_plugin(
    executor: Executor, plugin_id: UUID, registration: Registration, trace_id: str
) -> None:
    values = (registration.intents, registration.status, *registration.values, trace_id)
    await executor.fetchval(UPDATE, plugin_id, *values)


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
