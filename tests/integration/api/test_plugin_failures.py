"""A plugin that does wrong costs the bot a `failed`, never an HTTP error."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import web

from impl.settings import Settings
from tests.stack import Api, ScriptedPlugin, settings_for

Body = dict[str, Any]
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(
        database, valkey, call_deadline_seconds=0.5, max_plugin_answer_bytes=64 * 1024
    )


async def hang(_body: Body, _request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def drip(_body: Body, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers=JSON)
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


async def too_large(_body: Body, _request: web.Request) -> web.StreamResponse:
    return web.Response(body=b" " * 10_000_000, content_type="application/json")


async def broken_json(_body: Body, _request: web.Request) -> web.StreamResponse:
    return web.Response(body=b'{"text": "x"', content_type="application/json")


async def other_trace(_body: Body, _request: web.Request) -> web.StreamResponse:
    return web.json_response({"text": "x", "trace_id": str(uuid4())})


async def unknown_field(body: Body, _request: web.Request) -> web.StreamResponse:
    return web.json_response({"text": "x", "trace_id": body["trace_id"], "more": 1})


async def other_type(body: Body, _request: web.Request) -> web.StreamResponse:
    answer = {"text": "x", "trace_id": body["trace_id"]}
    return web.json_response(answer, content_type="text/html")


async def nul(body: Body, _request: web.Request) -> web.StreamResponse:
    return web.json_response({"text": "x\x00", "trace_id": body["trace_id"]})


async def cut_off(_body: Body, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers=JSON | {"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"{")
    assert request.transport is not None
    request.transport.abort()
    return response


def status(code: int) -> Callable[[Body, web.Request], Awaitable[web.StreamResponse]]:
    async def reply(_body: Body, _request: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers={"Location": "http://127.0.0.1:9/"})

    return reply


WRONG = {
    "too large": (too_large, "plugin_answer_too_large", "failed", "plugin_failed"),
    "broken JSON": (broken_json, "plugin_answer_invalid", "failed", "plugin_failed"),
    "other trace": (other_trace, "plugin_answer_invalid", "failed", "plugin_failed"),
    "unknown field": (unknown_field, "plugin_answer_invalid", "failed", "plugin_failed"),
    "other type": (other_type, "plugin_answer_invalid", "failed", "plugin_failed"),
    "NUL": (nul, "plugin_answer_invalid", "failed", "plugin_failed"),
    "cut off": (cut_off, "plugin_unavailable", "failed", "plugin_failed"),
    "500": (status(500), "plugin_rejected", "failed", "plugin_failed"),
    "401": (status(401), "plugin_rejected", "failed", "plugin_failed"),
    "302": (status(302), "plugin_rejected", "failed", "plugin_failed"),
    "503": (status(503), "plugin_unavailable", "failed", "plugin_failed"),
    "429": (status(429), "plugin_unavailable", "failed", "plugin_failed"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_plugin_fails_the_message_and_is_recorded(
    name: str, api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    text_reply.reply, code, call_status, event = WRONG[name]
    user, dialog = await api.user(), uuid4()
    answer = await api.say(user, "Hello!", dialog, message_id="m-1")
    assert (answer.status, answer.json["status"]) == (200, "failed")
    assert answer.json["error"]["code"] == code
    assert answer.json["plugin_responses"] == []
    call = await pool.fetchrow("SELECT * FROM plugin_calls")
    assert (call["status"], call["error_code"]) == (call_status, code)
    assert await pool.fetchval("SELECT count(*) FROM audit_logs WHERE action = $1", event) == 1
    assert await pool.fetchval("SELECT count(*) FROM messages WHERE sender_type = 'plugin'") == 0
    again = await api.say(user, "Hello!", dialog, message_id="m-1")
    assert again.raw == answer.raw
    assert len(text_reply.calls) == 1


@pytest.mark.parametrize("reply", [hang, drip])
async def test_one_that_does_not_end_may_still_answer_later(
    reply: Callable[[Body, web.Request], Awaitable[web.StreamResponse]],
    api: Api,
    text_reply: ScriptedPlugin,
    pool: asyncpg.Pool,
) -> None:
    text_reply.reply = reply
    answer = await api.say(await api.user(), "Hello!", message_id="m-1")
    assert (answer.status, answer.json["status"]) == (202, "queued")
    call = await pool.fetchrow("SELECT status, error_code FROM plugin_calls")
    assert tuple(call) == ("queued", None)


async def test_a_plugin_that_is_gone_is_unavailable(
    api: Api, text_reply: ScriptedPlugin, unused_tcp_port: int
) -> None:
    await api.add_plugin(f"http://127.0.0.1:{unused_tcp_port}", version="2.0.0")
    await api.add_plugin(text_reply.url, "other")
    user = await api.user()
    text_reply.reply = status(503)
    answer = await api.say(user, "Hello!")
    assert answer.json["error"]["code"] == "plugin_unavailable"


async def test_a_call_holds_no_connection(
    api: Api, text_reply: ScriptedPlugin, settings: Settings
) -> None:
    """More calls hang than the pool has connections, and the API still reads the database."""
    text_reply.reply = hang
    user = await api.user()
    calls = [
        asyncio.create_task(api.say(user, "Hello!")) for _ in range(settings.database_pool_size * 2)
    ]
    while len(text_reply.calls) < len(calls):
        text_reply.called.clear()
        await text_reply.called.wait()
    ready = await api.send("GET", "/readyz")
    assert ready.status == 200
    assert {answer.status for answer in await asyncio.gather(*calls)} == {202}
