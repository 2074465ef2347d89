"""The database's part: three round trips a message, and a clear 503 while it is away."""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from impl.settings import Settings
from tests.stack import Api, ScriptedPlugin, running_api, settings_for
from tests.wire import Proxy, proxy_before


@pytest_asyncio.fixture
async def proxy(database: str) -> AsyncIterator[Proxy]:
    async with proxy_before(database) as running:
        yield running


@pytest.fixture
def settings(proxy: Proxy, valkey: str) -> Settings:
    # Nothing but the message itself may talk to the database meanwhile.
    return settings_for(proxy.dsn, valkey, catalogue_refresh_seconds=60, database_pool_size=1)


@pytest_asyncio.fixture
async def api(pool: asyncpg.Pool, settings: Settings) -> AsyncIterator[Api]:
    async with running_api(pool, settings) as running:
        yield running


async def test_a_message_takes_three_round_trips(
    api: Api, text_reply: ScriptedPlugin, proxy: Proxy
) -> None:
    user, dialog = await api.user(), uuid4()
    await api.say(user, "warms the statements and the token up", dialog)
    before = proxy.round_trips
    for number in range(10):
        assert (await api.say(user, f"{number}", dialog)).json["status"] == "accepted"
    assert proxy.round_trips - before == 30


async def test_a_replay_takes_one_round_trip(
    api: Api, text_reply: ScriptedPlugin, proxy: Proxy
) -> None:
    user, dialog = await api.user(), uuid4()
    await api.say(user, "Hello!", dialog, message_id="m-1")
    before = proxy.round_trips
    await api.say(user, "Hello!", dialog, message_id="m-1")
    assert proxy.round_trips - before == 1


async def test_without_the_database_it_is_503_and_alive(
    api: Api, text_reply: ScriptedPlugin, proxy: Proxy, pool: asyncpg.Pool
) -> None:
    user = await api.user()
    proxy.cut()
    refused = await api.say(user, "Hello!")
    ready = await api.send("GET", "/readyz")
    for answer in (refused, ready):
        assert (answer.status, answer.json["code"]) == (503, "database_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
    assert (await api.send("GET", "/healthz")).status == 200
    assert await pool.fetchval("SELECT count(*) FROM messages") == 0
    proxy.mend()
    assert (await api.send("GET", "/readyz")).json["mode"] == "normal"
    assert (await api.say(user, "Hello!")).json["status"] == "accepted"


async def test_a_connection_that_died_in_the_pool_fails_nobody(
    api: Api, text_reply: ScriptedPlugin, proxy: Proxy
) -> None:
    user = await api.user()
    proxy.cut()
    proxy.mend()
    assert (await api.say(user, "Hello!")).status == 200


async def test_without_redis_a_message_is_answered_and_readiness_says_degraded(
    pool: asyncpg.Pool, database: str, unused_tcp_port: int, plugin: ScriptedPlugin
) -> None:
    settings = settings_for(database, f"redis://127.0.0.1:{unused_tcp_port}/0")
    async with running_api(pool, settings) as api:
        await api.add_plugin(plugin.url)
        assert (await api.say(await api.user(), "Hello!")).json["status"] == "accepted"
        ready = await api.send("GET", "/readyz")
        assert (ready.status, ready.json["mode"]) == (200, "degraded")
