"""Who may register what: a new version, the same again, or one that proves that it is itself."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson

from generated import models
from generated.runtime.problems import InvalidValue, pointer
from impl.db import Pool
from impl.plugins.caller import PluginCaller
from impl.plugins.queries import (
    Registration,
    append_registered,
    insert_plugin,
    lock_version,
    update_plugin,
)
from impl.routing.table import pattern_fault
from impl.settings import Settings
from impl.tokens.issue import IssuedToken, issue, rotate_plugin_tokens


def manifest_hash(manifest: dict[str, Any]) -> str:
    """SHA-256, in hexadecimal, of the manifest's canonical JSON: members sorted, no white space."""
    return hashlib.sha256(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)).hexdigest()


def faults(request: models.PluginRegistrationRequestV1) -> list[InvalidValue]:
    """What a schema cannot say: names that agree, patterns that RE2 takes, tags that differ."""
    found = []
    for name in ("name", "version"):
        if getattr(request.manifest, name) != getattr(request, name):
            message = f"Must equal /{name}"
            found.append(InvalidValue("body", f"/manifest/{name}", "mismatch", message))
    seen: set[str] = set()
    for index, intent in enumerate(request.manifest.intents):
        where = ("manifest", "intents", index)
        if intent.tag in seen:
            found.append(_fault((*where, "tag"), "duplicate", "Another intent has this tag"))
        seen.add(intent.tag)
        condition = intent.activation_condition
        if condition.type == "regex" and pattern_fault(condition.value) is not None:
            place = (*where, "activation_condition", "value")
            found.append(_fault(place, "pattern_invalid", "Not a pattern of RE2"))
    return found


def _fault(place: tuple[str | int, ...], code: str, message: str) -> InvalidValue:
    return InvalidValue("body", pointer(*place), code, message)


@dataclass(frozen=True, slots=True)
class Registered:
    plugin_id: UUID
    token: IssuedToken
    created: bool


class ManifestConflictError(Exception):
    """The version exists with another manifest, and the request does not prove to be the plugin."""


@dataclass(frozen=True, slots=True)
class Registrar:
    pool: Pool
    caller: PluginCaller
    settings: Settings

    async def register(
        self, request: models.PluginRegistrationRequestV1, own: UUID | None, trace_id: str
    ) -> Registered:
        """Raises ManifestConflictError. `own` is the plugin whose token came along."""
        healthy = await self.caller.healthy(request.base_url)
        manifest = request.manifest.model_dump(mode="json", exclude_none=True)
        registration = Registration(
            request, manifest, manifest_hash(manifest), "active" if healthy else "registering"
        )
        async with self.pool.acquire() as connection, connection.transaction():
            plugin_id, created = await self._store(connection, registration, own)
            overlap = timedelta(seconds=self.settings.plugin_token_overlap_seconds)
            await rotate_plugin_tokens(connection, plugin_id, overlap)
            token = await issue(
                connection,
                "plugin",
                subject_id=plugin_id,
                scopes=request.scopes,
                expires_in=timedelta(days=self.settings.plugin_token_days),
            )
            await append_registered(connection, plugin_id, trace_id)
        return Registered(plugin_id, token, created)

    @staticmethod
    async def _store(
        connection: Any, registration: Registration, own: UUID | None
    ) -> tuple[UUID, bool]:
        plugin_id = await insert_plugin(connection, registration)
        if plugin_id is not None:
            return plugin_id, True
        request = registration.request
        known = await lock_version(connection, request.name, request.version)
        if known is None:
            raise ManifestConflictError
        if known.manifest_hash != registration.manifest_hash and own != known.id:
            raise ManifestConflictError
        await update_plugin(connection, known.id, registration)
        return known.id, False
