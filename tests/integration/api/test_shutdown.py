"""The server of `botcore serve`: how it stops, and what it takes of a connection."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from aiohttp import web

from impl import protocol, serve
from impl.protocol import MAX_HEAD_BYTES
from impl.serve import Server
from impl.settings import Settings
from tests.integration.api.queued import hang, recover
from tests.patience import PATIENT_SECONDS
from tests.stack import Api, ScriptedPlugin, connected, quiet_server, running_api, settings_for

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(database, valkey, port=0, unready_seconds=0, drain_seconds=30)


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Server:
    return quiet_server(settings, monkeypatch)


@pytest_asyncio.fixture
async def api(pool: asyncpg.Pool, settings: Settings, server: Server) -> AsyncIterator[Api]:
    async with running_api(pool, settings, server=server) as running:
        yield running


async def test_what_the_drain_leaves_gets_a_503_and_its_call_is_free_at_once(
    api: Api, text_reply: ScriptedPlugin, server: Server, pool: asyncpg.Pool, settings: Settings
) -> None:
    assert server._answer_after == settings.drain_seconds - serve.ANSWER_SECONDS
    server._answer_after = 0.3  # and yet all the time to answer in
    good, text_reply.reply = text_reply.reply, hang
    user = await api.user()
    waiting = asyncio.create_task(api.say(user, "Hello!", message_id="m-1"))
    await text_reply.called.wait()
    server.should_exit = True
    answer = await waiting
    assert (answer.status, answer.json["code"]) == (503, "overloaded")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["X-Trace-Id"] == answer.json["trace_id"]

    text_reply.reply = good
    assert await recover(pool, settings) == 1
    first, second = text_reply.calls
    assert first["invocation_id"] == second["invocation_id"]
    call = await pool.fetchrow("SELECT status, attempt, trace_id::text FROM plugin_calls")
    assert tuple(call) == ("succeeded", 2, answer.json["trace_id"])


async def test_what_ends_within_the_drain_is_answered(
    api: Api, text_reply: ScriptedPlugin, server: Server
) -> None:
    async def slow(body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
        server.should_exit = True
        await asyncio.sleep(0.3)
        return web.json_response({"text": "late", "trace_id": body["trace_id"]})

    text_reply.reply = slow
    answer = await api.say(await api.user(), "Hello!")
    assert answer.json["plugin_responses"][0]["content"] == "late"


async def test_readiness_says_no_while_everything_is_still_served(
    api: Api, text_reply: ScriptedPlugin, server: Server
) -> None:
    user = await api.user()
    server._notice_seconds = PATIENT_SECONDS
    server.should_exit = True
    while (ready := await api.send("GET", "/readyz")).status == 200:  # noqa: ASYNC110  # no event tells of it
        await asyncio.sleep(0.01)
    assert (ready.status, ready.json["code"]) == (503, "overloaded")
    assert int(ready.headers["Retry-After"]) >= 1
    assert UUID(ready.headers["X-Trace-Id"]) == UUID(ready.json["trace_id"])
    for _ in range(2):  # each on a connection of its own
        answer = await api.say(user, "Hello!")
        assert (answer.status, answer.json["status"]) == (200, "accepted")
        assert answer.headers["Connection"] == "close"
    assert (await api.send("GET", "/healthz")).status == 200
    server._notice_seconds = 0


async def sent(api: Api, *parts: bytes) -> tuple[bytes, int]:
    """What the server answers to `parts` until it closes, and how much of them it took."""
    taken, answer = 0, b""
    async with connected(api.url) as (reader, writer), asyncio.timeout(PATIENT_SECONDS):
        with contextlib.suppress(ConnectionError):
            for part in parts:
                writer.write(part)
                await writer.drain()
                taken += len(part)
                await asyncio.sleep(0.001)
            answer = await reader.read()
    return answer, taken


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param([b"X-A: ", *[b"a" * 16384] * 200], id="one field without an end"),
        pytest.param([b"".join(b"a%d: b\r\n" % i for i in range(1500))] * 200, id="many fields"),
        pytest.param([b"X-A: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n"], id="whole in one piece"),
    ],
)
async def test_a_head_without_measure_is_refused(api: Api, flood: list[bytes]) -> None:
    answer, taken = await sent(api, HEALTH, *flood)
    # The system may drop the answer with the connection, while the client still sends.
    assert answer[:12] in (b"HTTP/1.1 431", b"")
    assert taken < 2**21
    assert (await api.send("GET", "/healthz")).status == 200


async def test_a_head_within_the_measure_may_come_in_pieces(api: Api) -> None:
    field = b"X-A: " + b"a" * (MAX_HEAD_BYTES - 200)
    pieces = [field[start : start + 4096] for start in range(0, len(field), 4096)]
    answer, _ = await sent(api, HEALTH, b"Connection: close\r\n", *pieces, b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")


async def test_a_body_counts_as_no_head(api: Api) -> None:
    head = b"POST /api/v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n"
    head += b"X-Bot-Token: " + api.bot_token.encode() + b"\r\nContent-Type: application/json\r\n"
    answer, _ = await sent(api, head, b"Connection: close\r\n\r\n", *[b"a" * 50_000] * 4)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"invalid_json" in answer


@pytest.mark.parametrize("beginning", [b"", b"GET /healthz HT", HEALTH], ids=repr)
async def test_a_head_that_does_not_end_in_time_ends_the_connection(
    api: Api, beginning: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    async with connected(api.url) as (reader, writer), asyncio.timeout(PATIENT_SECONDS):
        writer.write(beginning)
        assert await reader.read() == b""


async def test_empty_lines_do_not_keep_a_connection(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(api.url) as (reader, writer), asyncio.timeout(PATIENT_SECONDS):
        writer.write(HEALTH + b"\r\n")
        await reader.readuntil(b"}")
        monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
        writer.write(b"\r\n")
        await reader.read()


async def test_a_connection_kept_alive_outlives_the_time_for_a_head(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 1)
    async with connected(api.url) as (reader, writer):
        for _ in range(2):
            writer.write(HEALTH + b"\r\n")
            assert b"200" in await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(1.5)
