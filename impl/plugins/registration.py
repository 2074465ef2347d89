"""Who may register what: a new version, the same again, or one that proves that it is itself."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from generated import models
from generated.errors import ValidationFailed
from generated.runtime.problems import InvalidValue
from impl.db import Pool
from impl.plugins.caller import PluginCaller
from impl.plugins.calls.checks import PinnedSchema, check_outgoing, resolve_output_schema
from impl.plugins.manifests import adapt, same
from impl.plugins.manifests.canonical import manifest_hash
from impl.plugins.queries import (
    Registration,
    append_registered,
    insert_plugin,
    lock_version,
    update_plugin,
)
from impl.plugins.rules import faults, negotiated
from impl.settings import Settings
from impl.tokens.issue import IssuedToken, prepare, rotate_plugin_tokens, store


@dataclass(frozen=True, slots=True)
class Registered:
    plugin_id: UUID
    token: IssuedToken
    created: bool


class ManifestConflictError(Exception):
    """The version exists with another manifest, and the request does not prove to be the plugin."""


class VersionDeletedError(Exception):
    """The version was deleted: its calls and events stay under its name."""


@dataclass(frozen=True, slots=True)
class Registrar:
    pool: Pool
    caller: PluginCaller
    settings: Settings

    async def register(
        self, request: models.PluginRegistrationRequestV1, own: UUID | None, trace_id: str
    ) -> Registered:
        """`own`: whose token came along. Nothing of a request that is refused is stored.

        Raises ValidationFailed, ManifestConflictError, VersionDeletedError.
        """
        registration = await self._checked(request)
        token = await prepare("plugin")
        async with self.pool.acquire() as connection, connection.transaction():
            plugin_id, created = await self._store(connection, registration, own, trace_id)
            overlap = timedelta(seconds=self.settings.plugin_token_overlap_seconds)
            await rotate_plugin_tokens(connection, plugin_id, overlap)
            issued = await store(
                connection,
                token,
                subject_id=plugin_id,
                scopes=request.scopes,
                expires_in=timedelta(days=self.settings.plugin_token_days),
            )
            await append_registered(connection, plugin_id, trace_id)
        return Registered(plugin_id, issued, created)

    async def _checked(self, request: models.PluginRegistrationRequestV1) -> Registration:
        """What is to be stored, and whether the plugin is well. Raises ValidationFailed."""
        adapted = adapt(request.manifest)
        manifest = adapted.manifest
        found = faults(request, adapted, self.settings.allowed_plugin_scopes)
        found = found or await check_outgoing(self.caller.client, request.base_url, manifest)
        version = negotiated(manifest)
        if found or version is None:
            raise ValidationFailed(errors=found)
        pinned = await self._pinned(manifest)
        healthy = await self.caller.healthy(request.base_url)
        return Registration(
            request,
            adapted,
            manifest_hash(request.manifest),
            version,
            "active" if healthy else "registering",
            pinned,
        )

    async def _pinned(self, manifest: models.PluginManifestV1) -> PinnedSchema | None:
        """Its output schema as it is now. Raises ValidationFailed."""
        pinned = await resolve_output_schema(
            self.caller.client, manifest, self.settings.probe_timeout_seconds
        )
        if isinstance(pinned, InvalidValue):
            raise ValidationFailed(errors=[pinned])
        return pinned

    @staticmethod
    async def _store(
        connection: Any, registration: Registration, own: UUID | None, trace_id: str
    ) -> tuple[UUID, bool]:
        plugin_id = await insert_plugin(connection, registration)
        if plugin_id is not None:
            return plugin_id, True
        request = registration.request
        known = await lock_version(connection, request.name, request.version)
        if known is None:
            raise ManifestConflictError
        if known.deleted:
            raise VersionDeletedError
        if own != known.id and not same(known.manifest, request.manifest):
            raise ManifestConflictError
        await update_plugin(connection, known.id, registration, trace_id)
        return known.id, False
