"""A plugin that does wrong costs the bot a `failed`, never an HTTP error."""

import asyncio
import gzip
import zlib
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest
from aiohttp import web

from impl.settings import Settings
from tests.integration.api.queued import called, say
from tests.patience import PATIENT_SECONDS
from tests.stack import Api, Gate, Reply, ScriptedPlugin, echo, manifest, settings_for

Body = dict[str, Any]
JSON = {"Content-Type": "application/json"}
SHORT_MS = "1000"  # of a bot that does not wait long


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(database, valkey, max_plugin_answer_bytes=64 * 1024)


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


def packed(encoding: str, body: bytes) -> Reply:
    async def reply(_body: Body, _request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers=JSON | {"Content-Encoding": encoding})

    return reply


BOMB = b"\x00" * 10_000_000
BOMBS = {"gzip": gzip.compress(BOMB), "deflate": zlib.compress(BOMB)}


async def raw(content: bytes, request: web.Request) -> web.StreamResponse:
    """Bytes of one's own in place of an answer, and the end of the connection."""
    assert request.transport is not None
    request.transport.write(content)
    request.transport.close()
    return web.Response()


async def reset_before(_body: Body, request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def no_http(_body: Body, request: web.Request) -> web.StreamResponse:
    return await raw(b"SSH-2.0-nonsense\r\n\r\n", request)


async def cut_in_a_chunk(_body: Body, request: web.Request) -> web.StreamResponse:
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    return await raw(head + b'5\r\n{"te', request)


async def endless_head(_body: Body, request: web.Request) -> web.StreamResponse:
    return await raw(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100_000, request)


async def head_by_head(_body: Body, request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(b"HTTP/1.1 200 OK\r\n")
    while not request.transport.is_closing():
        request.transport.write(b"X: a\r\n")
        await asyncio.sleep(0.05)
    return web.Response()


async def cut_off(_body: Body, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers=JSON | {"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"{")
    assert request.transport is not None
    request.transport.abort()
    return response


def status(code: int, retry_after: str | None = None) -> Reply:
    async def reply(_body: Body, _request: web.Request) -> web.StreamResponse:
        asked = {} if retry_after is None else {"Retry-After": retry_after}
        return web.Response(status=code, headers={"Location": "http://127.0.0.1:9/", **asked})

    return reply


INVALID, UNAVAILABLE = "plugin_answer_invalid", "plugin_unavailable"
# What it does, the code that the bot is told, and how often it is asked.
WRONG: dict[str, tuple[Reply, str, int]] = {
    "too large": (too_large, "plugin_answer_too_large", 1),
    "gzip bomb": (packed("gzip", BOMBS["gzip"]), "plugin_answer_too_large", 1),
    "deflate bomb": (packed("deflate", BOMBS["deflate"]), "plugin_answer_too_large", 1),
    "broken gzip": (packed("gzip", b"{}"), INVALID, 1),
    "half a gzip": (packed("gzip", gzip.compress(b"{}")[:-4]), INVALID, 1),
    "two gzips": (packed("gzip", gzip.compress(b"{}") * 2), INVALID, 1),
    "unknown packing": (packed("br", b"{}"), INVALID, 1),
    "packed twice": (packed("gzip, gzip", gzip.compress(gzip.compress(b"{}"))), INVALID, 1),
    "broken JSON": (broken_json, INVALID, 1),
    "other trace": (other_trace, INVALID, 1),
    "unknown field": (unknown_field, INVALID, 1),
    "other type": (other_type, INVALID, 1),
    "NUL": (nul, INVALID, 1),
    "no HTTP": (no_http, INVALID, 1),
    "endless head": (endless_head, INVALID, 1),
    "reset before the answer": (reset_before, UNAVAILABLE, 3),
    "cut off": (cut_off, UNAVAILABLE, 1),
    "cut off in a chunk": (cut_in_a_chunk, UNAVAILABLE, 1),
    "500": (status(500), "plugin_rejected", 1),
    "401": (status(401), "plugin_rejected", 1),
    "302": (status(302), "plugin_rejected", 1),
    "503": (status(503), UNAVAILABLE, 3),
    "429": (status(429), UNAVAILABLE, 3),
    "429, at once": (status(429, "0"), UNAVAILABLE, 3),
    "429, later": (status(429, "60"), UNAVAILABLE, 1),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_plugin_fails_the_message_and_is_recorded(
    name: str, api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    text_reply.reply, code, attempts = WRONG[name]
    user, dialog = await api.user(), uuid4()
    answer = await api.say(user, "Hello!", dialog, message_id="m-1")
    assert (answer.status, answer.json["status"]) == (200, "failed")
    assert answer.json["error"]["code"] == code
    assert answer.json["plugin_responses"] == []
    call = await pool.fetchrow("SELECT * FROM plugin_calls")
    assert (call["status"], call["error_code"]) == ("failed", code)
    failed = "SELECT count(*) FROM audit_logs WHERE action = 'plugin_failed'"
    assert await pool.fetchval(failed) == 1
    assert await pool.fetchval("SELECT count(*) FROM messages WHERE sender_type = 'plugin'") == 0
    again = await api.say(user, "Hello!", dialog, message_id="m-1")
    assert again.raw == answer.raw
    assert len(text_reply.calls) == attempts
    assert len({call["invocation_id"] for call in text_reply.calls}) == 1


async def test_a_packed_answer_within_the_cap_is_taken(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    times = 1

    async def reply(body: Body, _request: web.Request) -> web.StreamResponse:
        content = orjson.dumps({"text": "packed", "trace_id": body["trace_id"]})
        return web.Response(
            body=gzip.compress(content) * times, headers=JSON | {"Content-Encoding": "gzip"}
        )

    text_reply.reply = reply
    answer = await api.say(await api.user(), "Hello!")
    assert answer.json["plugin_responses"][0]["content"] == "packed"
    assert text_reply.headers[0]["Accept-Encoding"] == "identity"
    times = 2
    answer = await api.say(await api.user(), "Hello!")
    assert answer.json["error"]["code"] == INVALID


async def test_a_second_answer_is_nobodys(api: Api, text_reply: ScriptedPlugin) -> None:
    """Sent unasked on the same connection: the next message must not be given it."""

    async def twice(body: Body, request: web.Request) -> web.StreamResponse:
        content = orjson.dumps({"text": "answer", "trace_id": body["trace_id"]})
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
        )
        assert request.transport is not None
        request.transport.write((head.encode() + b"\r\n\r\n" + content) * 2)
        await asyncio.Event().wait()
        raise AssertionError

    text_reply.reply = twice
    user = await api.user()
    assert (await api.say(user, "one")).json["status"] == "accepted"
    text_reply.reply = echo
    answer = await api.say(user, "two")
    assert answer.json["plugin_responses"][0]["content"] == "echo: two"


async def test_a_second_answer_that_comes_later_is_nobodys_either(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    """On a connection that waits for the next call."""

    async def kept(body: Body, request: web.Request) -> web.StreamResponse:
        content = orjson.dumps({"text": "late", "trace_id": body["trace_id"]})
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n"
        assert request.transport is not None
        unasked.append((request.transport, head.encode() + b"\r\n" + content))
        return await echo(body, request)

    unasked: list[tuple[asyncio.Transport, bytes]] = []
    text_reply.reply = kept
    user = await api.user()
    for turn in ("one", "two", "three"):
        answer = await api.say(user, turn)
        assert answer.json["plugin_responses"][0]["content"] == f"echo: {turn}"
        transport, content = unasked[-1]
        transport.write(content)
    assert len({transport for transport, _ in unasked}) == 3


async def test_an_answer_must_fit_the_plugins_own_schema(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    schema = {"properties": {"text": {"pattern": "^echo: [a-z]+$"}}, "required": ["confidence"]}
    described = manifest("text_reply") | {"output_schema": schema}
    done = await api.register(
        {"name": "text_reply", "version": "1.0.0", "base_url": plugin.url, "manifest": described}
    )
    assert done.status == 201
    user = await api.user()

    async def confident(body: Body, _request: web.Request) -> web.StreamResponse:
        text = f"echo: {body['payload']['text']}"
        said = {"text": text, "confidence": 1, "trace_id": body["trace_id"]}
        return web.json_response(said)

    plugin.reply = confident
    assert (await api.say(user, "good")).json["status"] == "accepted"
    bad = await api.say(user, "BAD")
    assert bad.json["error"]["code"] == "plugin_output_invalid"
    assert bad.json["error"]["retryable"] is False
    plugin.reply = echo  # the contract's default is not what the plugin said
    assert (await api.say(user, "good")).json["error"]["code"] == "plugin_output_invalid"
    assert await pool.fetchval("SELECT output_schema FROM plugins") == schema


async def test_a_plugin_that_fails_too_often_is_not_called(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    text_reply.reply = status(503, "60")
    user = await api.user()
    for _ in range(10):
        assert (await api.say(user, "Hello!")).json["error"]["code"] == UNAVAILABLE
    answer = await api.say(user, "Hello!")
    assert answer.json["error"]["code"] == "plugin_circuit_open"
    assert answer.json["error"]["retryable"] is True
    assert len(text_reply.calls) == 10


async def test_a_plugins_limit_for_one_user_shuts_it_for_nobody(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    eager, other = await api.user(1), await api.user(2)

    async def limited(body: Body, request: web.Request) -> web.StreamResponse:
        if body["user_id"] == eager:
            return web.Response(status=429, headers={"Retry-After": "60"})
        return await echo(body, request)

    text_reply.reply = limited
    for _ in range(10):
        assert (await api.say(eager, "Hello!")).json["error"]["code"] == UNAVAILABLE
    assert (await api.say(other, "Hello!")).json["status"] == "accepted"


@pytest.mark.parametrize("reply", [hang, drip, head_by_head])
async def test_one_that_does_not_end_may_still_answer_later(
    reply: Reply,
    api: Api,
    text_reply: ScriptedPlugin,
    pool: asyncpg.Pool,
) -> None:
    text_reply.reply = reply
    async with asyncio.timeout(PATIENT_SECONDS / 2):
        answer = await say(api, await api.user(), "Hello!", headers={"X-Deadline-Ms": SHORT_MS})
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
    gate = Gate()
    text_reply.reply = gate.reply
    user = await api.user()
    calls = [
        asyncio.create_task(api.say(user, "Hello!")) for _ in range(settings.database_pool_size * 2)
    ]
    await called(text_reply, len(calls))
    ready = await api.send("GET", "/readyz")
    assert ready.status == 200
    gate.go_on.set()
    assert {answer.status for answer in await asyncio.gather(*calls)} == {200}
