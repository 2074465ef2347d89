"""The server of `botcore serve` stops: streams end at once, and go on elsewhere."""

import asyncio
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio

from impl.app import create_app
from impl.serve import Server
from impl.settings import Settings
from tests.integration.feed.following import PATH, Follower, Reporter
from tests.patience import PATIENT_SECONDS
from tests.stack import Api, quiet_server, running_api, serving, settings_for

DRAIN = PATIENT_SECONDS


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(database, valkey, port=0, drain_seconds=DRAIN, event_streams=2)


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Server:
    return quiet_server(settings, monkeypatch)


@pytest_asyncio.fixture
async def api(pool: asyncpg.Pool, settings: Settings, server: Server) -> AsyncIterator[Api]:
    async with running_api(pool, settings, server=server) as running:
        yield running


async def test_streams_end_at_once_and_go_on_at_another_instance(
    operator: Follower, plugin: Reporter, api: Api, server: Server, settings: Settings
) -> None:
    async with operator.connected(api.url) as events:
        await plugin.happen(1)
        assert (await anext(events)).item["payload"] == {"number": 1}
        stopping = time.monotonic()
        server.should_exit = True
        assert await anext(events, None) is None  # a whole answer, and no broken one
        assert time.monotonic() - stopping < DRAIN / 2
    await plugin.happen(2)
    async with serving(create_app(settings)) as url, operator.connected(url) as events:
        assert (await anext(events)).item["payload"] == {"number": 2}


async def test_a_process_has_so_many_streams(api: Api, operator: Follower) -> None:
    async with operator.connected(api.url), operator.connected(api.url):
        answer = await api.send("GET", PATH, headers=operator.headers)
    assert (answer.status, answer.json["code"]) == (503, "overloaded")
    assert int(answer.headers["Retry-After"]) >= 1


async def test_who_reads_nothing_at_all_is_cut_off(
    api: Api, operator: Follower, plugin: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel's buffers are full, nothing can be sent any more: the connection itself goes."""
    monkeypatch.setattr("generated.runtime.streams.SEND_SECONDS", 0.2)
    host, port = urlsplit(api.url).netloc.split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    key = operator.headers["X-Admin-Key"]
    writer.write(f"GET {PATH} HTTP/1.1\r\nHost: x\r\nX-Admin-Key: {key}\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    text = "x" * 60_000
    async with asyncio.timeout(60):
        while await open_streams(api):
            await plugin.happen(payload={"text": text})
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(2**30)
    writer.close()


async def open_streams(api: Api) -> float:
    answer = await api.send("GET", "/metrics")
    lines = answer.raw.decode().splitlines()
    return float(
        next(line for line in lines if line.startswith("botcore_event_streams ")).split()[1]
    )
