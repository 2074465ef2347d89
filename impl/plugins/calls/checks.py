"""What is checked of a registration before it is stored: where it points, and its schemas."""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import aiohttp

from generated import models
from generated.runtime import strict_json
from generated.runtime.problems import MAX_MESSAGE, InvalidValue, ProblemError
from impl.outgoing.answer import AnswerTooLargeError, PackingError, read_capped
from impl.outgoing.client import OutgoingClient
from impl.outgoing.urls import ForbiddenUrlError, Target
from impl.plugins.calls.output import SchemaError, compile_output
from impl.plugins.manifests.canonical import canonical
from impl.schemas.form import MAX_BYTES, read_form
from impl.schemas.schema import TOO_COSTLY

BASE_URL = "/base_url"
INPUT_SCHEMA = "/manifest/input_schema"
OUTPUT_SCHEMA = "/manifest/output_schema"


@dataclass(frozen=True, slots=True)
class PinnedSchema:
    """An output schema as it was at registration, and the SHA-256 of its canonical JSON in hex."""

    schema: dict[str, Any]
    digest: str


async def check_outgoing(
    client: OutgoingClient, base_url: str, manifest: models.PluginManifestV1
) -> list[InvalidValue]:
    """What of a registration's URLs and inline schemas is refused; empty where nothing is."""
    found: list[InvalidValue] = []
    origin = await _address(client, BASE_URL, base_url, found)
    for place, given in (
        (INPUT_SCHEMA, manifest.input_schema),
        (OUTPUT_SCHEMA, manifest.output_schema),
    ):
        if isinstance(given, str):
            target = await _address(client, place, given, found)
            if target and origin and target.origin != origin.origin:
                message = "Must be on the origin of /base_url"
                found.append(InvalidValue("body", place, "schema_elsewhere", message))
        elif given is not None:
            found.extend(schema_faults(place, given, is_output=place == OUTPUT_SCHEMA))
    return found


async def resolve_output_schema(
    client: OutgoingClient, manifest: models.PluginManifestV1, timeout_seconds: float
) -> PinnedSchema | InvalidValue | None:
    """The output schema, fetched where the manifest names its URL. After `check_outgoing`."""
    given = manifest.output_schema
    if given is None:
        return None
    if isinstance(given, str):
        fetched = await _fetch(client, given, timeout_seconds)
        if isinstance(fetched, InvalidValue):
            return fetched
        for fault in schema_faults("", fetched, is_output=True):
            # Its pointer is into what was fetched: in the request there is only the URL.
            message = f"What it names is refused at {fault.pointer or 'its root'}: {fault.message}"
            return InvalidValue("body", OUTPUT_SCHEMA, fault.code, message[:MAX_MESSAGE])
        given = fetched
    return PinnedSchema(given, hashlib.sha256(canonical(given)).hexdigest())


async def _address(
    client: OutgoingClient, place: str, url: str, found: list[InvalidValue]
) -> Target | None:
    """A host that has no address now may have one later: each call looks again."""
    try:
        return await client.check(url)
    except ForbiddenUrlError as error:
        found.append(InvalidValue("body", place, "url_forbidden", f"Not permitted: {error}"))
    except OSError:
        return client.target(url)
    return None


async def _fetch(
    client: OutgoingClient, url: str, timeout_seconds: float
) -> dict[str, Any] | InvalidValue:
    try:
        async with asyncio.timeout(timeout_seconds), client.get(client.target(url)) as response:
            if response.status != 200:
                return _unread(f"It was answered by {response.status}")
            value = strict_json.parse(await read_capped(response, MAX_BYTES))
    except AnswerTooLargeError:
        return _unread(f"It exceeds {MAX_BYTES} bytes", "schema_too_large")
    except (ProblemError, PackingError):
        return _unread("It is not strict JSON", "schema_invalid")
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
        return _unread("It cannot be fetched")
    if not isinstance(value, dict):
        return _unread("It must be an object", "schema_invalid")
    return value


def _unread(message: str, code: str = "schema_unavailable") -> InvalidValue:
    return InvalidValue("body", OUTPUT_SCHEMA, code, message)


def schema_faults(place: str, schema: object, *, is_output: bool) -> list[InvalidValue]:
    """What a registration refuses of a schema at `place`; at most one."""
    try:
        if is_output:
            too_costly = compile_output(schema).faults(_largest_answer()) == [TOO_COSTLY]
        else:
            read_form(schema)
            too_costly = False
    except SchemaError as error:
        return [InvalidValue("body", place + error.pointer, error.code, error.message)]
    if not too_costly:
        return []
    message = "It takes too long to hold a large answer against it"
    return [InvalidValue("body", place, "schema_too_costly", message)]


def _largest_answer() -> dict[str, Any]:
    """What a schema must be able to judge: as much as the contract permits, but for its URLs."""
    line = "e" * 256
    attachment = {
        "id": str(UUID(int=0)), "type": "image", "url": f"https://files.example.com/{'e' * 2000}"
    }  # fmt: skip
    return {
        "text": "e" * 4096,
        "content_type": "text/plain",
        "suggested_actions": [{"label": line, "value": line}] * 10,
        "attachments": [attachment] * 10,
        "confidence": 1.0,
        "usage": {
            "provider": line,
            "model": line,
            "prompt_tokens": 1,
            "completion_tokens": 1,
            "total_tokens": 2,
            "cost_usd": 0.5,
        },
        "trace_id": str(UUID(int=0)),
    }
