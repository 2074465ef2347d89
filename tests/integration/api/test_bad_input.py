"""The table input → status of the requirements, over a real socket; nothing of it is stored."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.stack import Api, ScriptedPlugin

TABLES = ("dialogs", "messages", "message_keys", "plugin_calls", "outbox", "plugin_events")


def body(user: str, **changed: Any) -> dict[str, Any]:
    return {"user_id": user, "payload": {"type": "text", "text": "Hello!"}, **changed}


def nested(depth: int) -> bytes:
    return b'{"user_id":' + b"[" * depth + b"]" * depth + b"}"


RAW = {
    "empty": (b"", 400, "invalid_json", None),
    "no JSON": (b"Hello!", 400, "invalid_json", None),
    "cut off": (b'{"user_id": "', 400, "invalid_json", None),
    "two values": (b"{} {}", 400, "invalid_json", None),
    "NaN": (b'{"user_id": NaN}', 400, "invalid_json", None),
    "Infinity": (b'{"user_id": -Infinity}', 400, "invalid_json", None),
    "not UTF-8": (b'{"user_id": "\xff"}', 400, "invalid_utf8", None),
    "UTF-16": ('{"user_id": "x"}'.encode("utf-16"), 400, "invalid_utf8", None),
    "encoded surrogate": (b'{"user_id": "\xed\xa0\x80"}', 400, "invalid_utf8", None),
    "duplicate key": (b'{"user_id": 1, "user_id": 2}', 400, "duplicate_key", None),
    "depth 33": (nested(32), 422, "validation_failed", "/user_id" + "/0" * 31),
    "depth 100,000": (nested(100_000), 422, "validation_failed", ""),
    "1e400": (b'{"user_id": 1e400}', 422, "validation_failed", "/user_id"),
    "beyond int64": (b'{"user_id": 9223372036854775808}', 422, "validation_failed", "/user_id"),
    "NUL in a value": (rb'{"user_id": "\u0000"}', 422, "validation_failed", "/user_id"),
    "NUL in a key": (rb'{"a\u0000": 1}', 422, "validation_failed", "/a\x00"),
    "surrogate in a value": (rb'{"user_id": "\ud800"}', 422, "validation_failed", "/user_id"),
    "surrogate in a key": (rb'{"\udfff": 1}', 422, "validation_failed", "/?"),
    "an array": (b"[]", 422, "validation_failed", ""),
}


async def assert_nothing_stored(pool: asyncpg.Pool) -> None:
    for table in TABLES:
        where = "WHERE event_type <> 'plugin_registered'" if table == "plugin_events" else ""
        where = "WHERE stream LIKE 'plugin:invocations%'" if table == "outbox" else where
        assert await pool.fetchval(f"SELECT count(*) FROM {table} {where}") == 0, table


@pytest.mark.parametrize("name", RAW)
async def test_a_body_that_cannot_be_read(
    name: str, api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    raw, status, code, pointer = RAW[name]
    headers = {"Content-Type": "application/json"}
    path = f"/api/v1/dialogs/{uuid4()}/messages"
    answer = await api.bot("POST", path, data=raw, headers=headers)
    assert (answer.status, answer.json["code"]) == (status, code), answer.raw
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["trace_id"] == answer.headers["X-Trace-Id"]
    if pointer is not None:
        assert answer.json["errors"][0]["pointer"] == pointer
    await assert_nothing_stored(pool)


TEXT = {"type": "text", "text": "x"}
WRONG_VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": ({"more": 1}, "/more"),
    "nested unknown field": ({"payload": {**TEXT, "more": 1}}, "/payload/more"),
    "text without text": ({"payload": {"type": "text"}}, "/payload/text"),
    "empty text": ({"payload": {"type": "text", "text": ""}}, "/payload/text"),
    "long text": ({"payload": {"type": "text", "text": "x" * 4097}}, "/payload/text"),
    "control character": ({"payload": {"type": "text", "text": "\x1b[2J"}}, "/payload/text"),
    "unknown type": ({"payload": {"type": "video", "text": "x"}}, "/payload"),
    "number as text": ({"payload": {"type": "text", "text": 5}}, "/payload/text"),
    "image without file": (
        {"payload": {"type": "image", "attachments": []}},
        "/payload/attachments",
    ),
    "message_id": ({"message_id": "a b"}, "/message_id"),
    "long message_id": ({"message_id": "x" * 129}, "/message_id"),
    "user_id": ({"user_id": "1"}, "/user_id"),
    "user_id in braces": ({"user_id": "{" + str(uuid4()) + "}"}, "/user_id"),
    "metadata": ({"metadata": {"a": {"b": 1}}}, "/metadata/a"),
    "much metadata": ({"metadata": {str(n): 1 for n in range(21)}}, "/metadata"),
}


@pytest.mark.parametrize("name", WRONG_VALUES)
async def test_a_wrong_value_is_pointed_at(
    name: str, api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    changed, pointer = WRONG_VALUES[name]
    user = await api.user()
    path = f"/api/v1/dialogs/{uuid4()}/messages"
    answer = await api.bot("POST", path, json=body(user, **changed))
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    assert answer.json["errors"][0]["pointer"] == pointer, answer.json["errors"]
    await assert_nothing_stored(pool)


async def test_headers_and_paths(api: Api, text_reply: ScriptedPlugin) -> None:
    path = f"/api/v1/dialogs/{uuid4()}/messages"
    good = json.dumps(body(await api.user())).encode()
    kind = {"Content-Type": "application/json"}

    async def post(**headers: str) -> tuple[int, str]:
        answer = await api.bot("POST", path, data=good, headers={**kind, **headers})
        return answer.status, answer.json.get("code")

    assert await post(**{"Content-Type": "text/plain"}) == (415, "unsupported_media_type")
    assert await post(**{"Content-Type": "application/json; charset=latin-1"}) == (
        415,
        "unsupported_media_type",
    )
    assert await post(**{"X-Schema-Version": "v2"}) == (400, "unsupported_schema_version")
    assert await post(Accept="text/html") == (406, "not_acceptable")
    assert await post(**{"X-Bot-Token": "bc_bot_wrong"}) == (401, "invalid_credentials")
    assert (await post(**{"Content-Type": "application/json; charset=UTF-8"}))[0] == 200
    wrong_method = await api.bot("DELETE", path)
    assert (wrong_method.status, wrong_method.headers["Allow"]) == (405, "POST")
    unknown = await api.bot("GET", "/api/v1/nothing")
    assert (unknown.status, unknown.json["code"]) == (404, "not_found")
    bad_id = await api.bot("POST", "/api/v1/dialogs/1/messages", json={})
    assert (bad_id.status, bad_id.json["errors"][0]["location"]) == (422, "path")
    no_token = await api.send("POST", path, data=good, headers=kind)
    assert (no_token.status, no_token.json["code"]) == (401, "missing_credentials")


async def test_a_body_over_the_cap_is_counted_while_it_streams(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    async def chunks() -> Any:
        for _ in range(5):
            yield b" " * 65536
            await asyncio.sleep(0)

    path = f"/api/v1/dialogs/{uuid4()}/messages"
    headers = {"Content-Type": "application/json"}
    for data in (chunks(), b" " * 262_145):
        answer = await api.bot("POST", path, data=data, headers=headers)
        assert (answer.status, answer.json["code"]) == (413, "body_too_large")
    await assert_nothing_stored(pool)


async def test_a_scope_that_the_token_lacks(api: Api, pool: asyncpg.Pool) -> None:
    await pool.execute("UPDATE tokens SET scopes = '{dialogs:read}' WHERE kind = 'bot'")
    answer = await api.bot("POST", f"/api/v1/dialogs/{uuid4()}/messages", json={})
    assert (answer.status, answer.json["code"]) == (403, "insufficient_scope")
    assert "dialogs:write" in answer.json["detail"]


async def test_tokens_are_of_one_kind(api: Api, plugin: ScriptedPlugin) -> None:
    done = await api.add_plugin(plugin.url)
    as_bot = {"X-Bot-Token": done["token"]}
    answer = await api.send("POST", "/api/v1/users", json={}, headers=as_bot)
    assert (answer.status, answer.json["code"]) == (401, "invalid_credentials")
