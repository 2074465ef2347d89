"""Whoever sends or takes too slowly is cut off, and so is who is one too many."""

import asyncio
import socket
from typing import Any

import asyncpg
import pytest

from impl import protocol
from impl.serve import Server
from tests.integration.api.test_plugins import waiting as waiting_for_a_lock
from tests.integration.overload.figures import Figures
from tests.patience import PATIENT_SECONDS
from tests.stack import Api, connected

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
PAGE = b"GET /docs/redoc.js HTTP/1.1\r\nHost: x\r\n"  # some hundred KB, for everybody
CONTRACT = b"GET /api/v1/plugin.openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
AMPLE_SECONDS = 2.0  # a window of who goes on: a busy machine may stand still for a second


@pytest.fixture
def changes() -> dict[str, Any]:
    return {"connections": 2}


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "BODY_WINDOW_SECONDS", 0.1)
    monkeypatch.setattr(protocol, "ANSWER_WINDOW_SECONDS", 0.1)


def upload(api: Api, length: int, *more: str) -> bytes:
    lines = [
        "POST /api/v1/users HTTP/1.1",
        "Host: x",
        f"X-Bot-Token: {api.bot_token}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server hangs up, however rudely."""
    found = b""
    try:
        async with asyncio.timeout(PATIENT_SECONDS):
            while piece := await reader.read(65536):
                found += piece
    except ConnectionError:
        pass
    return found


async def buffer_little(server: Server, figures: Figures) -> asyncio.Transport:
    """The server's side of the one connection, whose kernel holds little of what it sends."""
    await figures.until(lambda: figures("connections") == 1)
    (served,) = server.server_state.connections
    sending = served.transport.get_extra_info("socket")
    sending.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return served.transport


async def test_a_body_that_trickles_is_cut_off(api: Api, figures: Figures) -> None:
    async with connected(api.url) as (reader, writer):
        writer.write(upload(api, 1000) + b"{")
        ended = asyncio.create_task(rest(reader))
        while not ended.done():
            writer.write(b" ")
            await asyncio.wait({ended}, timeout=0.02)
        assert await ended == b""
    assert figures.cut("slow_body") == 1
    left = {"operation": "upsertUser", "status": "499"}
    await figures.until(lambda: figures("requests_total", **left) == 1)


async def test_a_body_has_an_end_however_fast_it_comes(
    api: Api, figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.5)
    async with connected(api.url) as (reader, writer):
        writer.write(upload(api, 250_000))
        ended = asyncio.create_task(rest(reader))
        for _ in range(500):
            writer.write(b" " * 200)
            await asyncio.wait({ended}, timeout=0.01)
            if ended.done():
                break
        assert ended.done(), "all was sent, and taken"
        assert await ended == b""
    assert figures.cut("slow_body") == 1


async def test_a_body_that_goes_on_is_waited_for(
    api: Api, figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "BODY_WINDOW_SECONDS", AMPLE_SECONDS)
    async with connected(api.url) as (reader, writer):
        writer.write(upload(api, 60_000, "Connection: close"))
        for _ in range(30):  # for a little more than a window
            writer.write(b" " * 2000)
            await asyncio.sleep(AMPLE_SECONDS / 25)
        assert b"invalid_json" in await rest(reader)
    assert figures.cut("slow_body") == 0


async def test_who_waits_to_be_told_to_go_on_is_not_slow(
    api: Api, pool: asyncpg.Pool, figures: Figures
) -> None:
    async with connected(api.url) as (reader, writer):
        async with pool.acquire() as holder, holder.transaction():
            await holder.execute("LOCK TABLE tokens IN ACCESS EXCLUSIVE MODE")
            writer.write(upload(api, 2, "Expect: 100-continue", "Connection: close"))
            await waiting_for_a_lock(pool, 1)
            await asyncio.sleep(0.4)  # in which a body that is asked for would be given up
        assert b" 100 " in await reader.readline()
        writer.write(b"{}")
        assert b"validation_failed" in await rest(reader)
    assert figures.cut("slow_body") == 0


async def test_who_takes_nothing_of_an_answer_is_cut_off(api: Api, figures: Figures) -> None:
    async with connected(api.url, receive_buffer=4096) as (_, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # typed as a transport that only writes
        writer.write((PAGE + b"\r\n") * 10)
        await figures.until(lambda: figures.cut("slow_reader") == 1)
    await figures.until(lambda: figures("connections") == 0)


async def test_who_takes_it_slowly_gets_the_whole(
    api: Api, server: Server, figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "ANSWER_WINDOW_SECONDS", AMPLE_SECONDS)
    found = b""
    async with connected(api.url, receive_buffer=4096) as (reader, writer):
        await buffer_little(server, figures)
        writer.write(PAGE + b"Connection: close\r\n\r\n")
        while piece := await reader.read(16384):
            found += piece
            await asyncio.sleep(AMPLE_SECONDS / 50)  # for a little more than a window
    assert found.endswith((await api.send("GET", "/docs/redoc.js")).raw)
    assert figures.cut("slow_reader") == 0


async def test_a_connection_that_ends_does_not_wait_for_its_reader_for_ever(
    api: Api, server: Server, figures: Figures
) -> None:
    async with connected(api.url, receive_buffer=2048) as (_, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # typed as a transport that only writes
        transport = await buffer_little(server, figures)
        writer.write(CONTRACT)
        await figures.until(transport.is_closing)
        unsent = transport.get_write_buffer_size()
        assert 0 < unsent < 64 * 1024  # so little that nobody is told to pause
        await figures.until(lambda: figures.cut("slow_reader") == 1)
    await figures.until(lambda: figures("connections") == 0)


async def test_beyond_the_connections_a_probe_is_answered_and_all_else_refused(
    api: Api, figures: Figures
) -> None:
    ask = f"GET /api/v1/plugins HTTP/1.1\r\nHost: x\r\nX-Bot-Token: {api.bot_token}\r\n\r\n"
    async with connected(api.url) as (reader, writer), connected(api.url):
        await figures.until(lambda: figures("connections") == 2)
        answer = b""
        for sent, status in ((HEALTH, b" 200 "), (ask.encode(), b" 503 ")):
            async with connected(api.url) as (third, thirds):
                thirds.write(sent)
                answer = await rest(third)  # each is the last on its connection
            assert status in answer.partition(b"\r\n")[0]
            assert b"connection: close" in answer.lower()
        assert b'"overloaded"' in answer
        for _ in range(2):  # who was there before keeps the connection
            writer.write(HEALTH)
            assert b"connection: close" not in (await reader.readuntil(b"}")).lower()
    assert figures.refused("connections") == 1


async def test_far_beyond_the_connections_nobody_is_heard(
    api: Api, figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "SPARE_CONNECTIONS", 0)
    async with connected(api.url) as (reader, writer), connected(api.url):
        await figures.until(lambda: figures("connections") == 2)
        async with connected(api.url) as (third, _):
            assert await rest(third) == b""
        assert figures.cut("too_many") == 1
        writer.write(HEALTH)
        assert b" 200 " in await reader.readline()
    await figures.until(lambda: figures("connections") == 0)
    async with connected(api.url) as (reader, writer):
        writer.write(HEALTH)
        assert b" 200 " in await reader.readline()
