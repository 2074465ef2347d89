"""Who may register what: a new version, the same again, or one that proves that it is itself."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import re2

from generated import models
from generated.runtime.problems import InvalidValue, pointer
from impl.db import Pool
from impl.plugins.caller import PluginCaller
from impl.plugins.calls.checks import PinnedSchema, check_outgoing, resolve_output_schema
from impl.plugins.queries import (
    Registration,
    append_registered,
    insert_plugin,
    lock_version,
    update_plugin,
)
from impl.routing.patterns import MAX_COST, PatternSet, TooCostlyError, check_pattern, cost
from impl.settings import Settings
from impl.tokens.issue import IssuedToken, prepare, rotate_plugin_tokens, store

MAX_PATTERN_FAULTS = 10


def manifest_hash(manifest: dict[str, Any]) -> str:
    """SHA-256, in hexadecimal, of the manifest's canonical JSON: members sorted, no white space."""
    return hashlib.sha256(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)).hexdigest()


def faults(request: models.PluginRegistrationRequestV1) -> list[InvalidValue]:
    """What a schema cannot say: names that agree, tags that differ, patterns that RE2 can take."""
    found = []
    for name in ("name", "version"):
        if getattr(request.manifest, name) != getattr(request, name):
            message = f"Must equal /{name}"
            found.append(InvalidValue("body", f"/manifest/{name}", "mismatch", message))
    intents = request.manifest.intents
    return [*found, *_pattern_faults(intents), *_tag_faults(intents)]


def _tag_faults(intents: Sequence[models.IntentV1]) -> Iterator[InvalidValue]:
    seen: set[str] = set()
    for index, intent in enumerate(intents):
        if intent.tag in seen:
            place = ("manifest", "intents", index, "tag")
            yield _fault(place, "duplicate", "Another intent has this tag")
        seen.add(intent.tag)


def _pattern_faults(intents: Sequence[models.IntentV1]) -> list[InvalidValue]:
    """Ends with the first pattern that is too much: a large one takes long to refuse."""
    found: list[InvalidValue] = []
    patterns: list[str] = []
    for index, intent in enumerate(intents):
        condition = intent.activation_condition
        if condition.type != "regex":
            continue
        place = ("manifest", "intents", index, "activation_condition", "value")
        try:
            check_pattern(condition.value)
        except TooCostlyError:
            return [*found, _fault(place, "pattern_too_costly", "The pattern is too large")]
        except re2.error:
            found.append(_fault(place, "pattern_invalid", "Not a pattern of RE2"))
            if len(found) == MAX_PATTERN_FAULTS:
                return found
            continue
        patterns.append(condition.value)
        if cost(patterns[-1:]) > MAX_COST:
            break
    try:
        PatternSet(patterns)
    except TooCostlyError:
        message = "The patterns are too costly together: use fewer or simpler ones"
        found.append(_fault(("manifest", "intents"), "pattern_too_costly", message))
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


class VersionDeletedError(Exception):
    """The version was deleted: its calls and events stay under its name."""


class RefusedValuesError(Exception):
    """What the plugin's own schemas and addresses make impossible."""

    def __init__(self, errors: Sequence[InvalidValue]) -> None:
        super().__init__(f"{len(errors)} values")
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Registrar:
    pool: Pool
    caller: PluginCaller
    settings: Settings

    async def register(
        self, request: models.PluginRegistrationRequestV1, own: UUID | None, trace_id: str
    ) -> Registered:
        """Raises ManifestConflictError, VersionDeletedError, RefusedValuesError.

        `own`: whose token came along.
        """
        pinned = await self._pinned(request)
        healthy = await self.caller.healthy(request.base_url)
        manifest = request.manifest.model_dump(mode="json", exclude_none=True)
        registration = Registration(
            request,
            manifest,
            manifest_hash(manifest),
            "active" if healthy else "registering",
            pinned,
        )
        token = await prepare("plugin")
        async with self.pool.acquire() as connection, connection.transaction():
            plugin_id, created = await self._store(connection, registration, own)
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

    async def _pinned(self, request: models.PluginRegistrationRequestV1) -> PinnedSchema | None:
        """Before anything is asked of the plugin or stored: where it points, and its schemas."""
        client = self.caller.client
        found = await check_outgoing(client, request)
        if found:
            raise RefusedValuesError(found)
        pinned = await resolve_output_schema(client, request, self.settings.probe_timeout_seconds)
        if isinstance(pinned, InvalidValue):
            raise RefusedValuesError([pinned])
        return pinned

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
        if known.deleted:
            raise VersionDeletedError
        if known.manifest_hash != registration.manifest_hash and own != known.id:
            raise ManifestConflictError
        await update_plugin(connection, known.id, registration)
        return known.id, False
