"""Calls that a plugin must refuse, each with its status, its code and the place of the fault."""

import asyncio
from uuid import uuid4

from impl.kit.checks import Check
from impl.kit.oversize import send_until_answered
from impl.kit.plugin import Plugin
from impl.kit.requests import Json, Request

UNKNOWN = "conform_unknown"
TOO_LARGE = 32 * 1024 * 1024  # more than any request of the contract, several times over


async def unknown_field(plugin: Plugin) -> None:
    request = plugin.any_call()
    await _refused(plugin, request.with_json({**request.json, UNKNOWN: 1}), f"/{UNKNOWN}")


async def unknown_inner_field(plugin: Plugin) -> None:
    request = plugin.any_call()
    context = {**request.json["context"], UNKNOWN: 1}
    await _refused(
        plugin, request.with_json({**request.json, "context": context}), f"/context/{UNKNOWN}"
    )


async def missing_field(plugin: Plugin) -> None:
    request = plugin.any_call()
    body = {name: value for name, value in request.json.items() if name != "context"}
    await _refused(plugin, request.with_json(body), "/context")


async def wrong_values(plugin: Plugin) -> None:
    request = plugin.any_call()
    wrong: Json = {"deadline_ms": "8000", "dry_run": "no", "dialog_id": "1"}
    for name, value in wrong.items():
        await _refused(plugin, request.with_json({**request.json, name: value}), f"/{name}")


async def other_invocation_id(plugin: Plugin) -> None:
    request = plugin.any_call().with_headers(X_Invocation_Id=str(uuid4()))
    await plugin.expect(request, 422, "validation_failed")


async def no_invocation_id(plugin: Plugin) -> None:
    request = plugin.any_call().with_headers(X_Invocation_Id=None)
    await plugin.expect(request, 422, "validation_failed")


async def schema_version(plugin: Plugin) -> None:
    request = plugin.any_call().with_headers(X_Schema_Version="v0")
    await plugin.expect(request, 400, "unsupported_schema_version")


async def accept(plugin: Plugin) -> None:
    request = plugin.any_call().with_headers(Accept="application/x-nothing")
    await plugin.expect(request, 406, "not_acceptable")


async def media_type(plugin: Plugin) -> None:
    request = plugin.any_call().with_headers(Content_Type="text/plain")
    await plugin.expect(request, 415, "unsupported_media_type")


async def broken_json(plugin: Plugin) -> None:
    await plugin.expect(plugin.any_call().but(body=b'{"a": '), 400, "invalid_json")
    await plugin.expect(plugin.any_call().but(body=b'{"a": NaN}'), 400, "invalid_json")


async def broken_utf8(plugin: Plugin) -> None:
    await plugin.expect(plugin.any_call().but(body=b'{"a": "\xff"}'), 400, "invalid_utf8")


async def doubled_key(plugin: Plugin) -> None:
    await plugin.expect(plugin.any_call().but(body=b'{"a": 1, "a": 1}'), 400, "duplicate_key")


async def too_large(plugin: Plugin) -> None:
    request = plugin.any_call().but(
        body=b"", shell_body=f"head -c {TOO_LARGE} /dev/zero | tr '\\0' ' '"
    )
    answer = await asyncio.to_thread(send_until_answered, plugin.url, request, TOO_LARGE)
    if answer is None:
        plugin.fail(request, "413 body_too_large", "no answer: the connection was closed")
    plugin.must_be(request, answer, 413, "body_too_large")


async def _refused(plugin: Plugin, request: Request, pointer: str) -> None:
    answer = await plugin.expect(request, 422, "validation_failed")
    named = [error["pointer"] for error in answer.json.get("errors", [])]
    if pointer not in named:
        told = ", ".join(named) or "none"
        plugin.fail(request, f"an error with the pointer {pointer}", f"pointers: {told}")


CHECKS = (
    Check("fields.unknown", "an unknown member is refused, by its name", unknown_field),
    Check("fields.unknown_inner", "so it is inside of the context", unknown_inner_field),
    Check("fields.missing", "a missing member is refused, by its name", missing_field),
    Check("fields.wrong", "values of another type are refused, by their names", wrong_values),
    Check("invocation_id.other", "the header must name the body's invocation", other_invocation_id),
    Check("invocation_id.missing", "a call without X-Invocation-Id is refused", no_invocation_id),
    Check("schema_version", "an unknown X-Schema-Version is answered 400", schema_version),
    Check("accept.invoke", "/invoke answers 406 where JSON is not accepted", accept),
    Check("media_type", "a body that is not application/json is answered 415", media_type),
    Check("json.syntax", "what is not JSON is answered 400", broken_json),
    Check("json.utf8", "what is not UTF-8 is answered 400", broken_utf8),
    Check("json.doubled_key", "an object that names a key twice is answered 400", doubled_key),
    Check("size", "an endless body is answered 413", too_large),
)
