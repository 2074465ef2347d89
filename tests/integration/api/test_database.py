"""The database's part: three round trips a message, and a clear 503 while it is away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from generated.metrics import make_metrics
from impl import app
from impl.app import open_resources
from impl.db import UNAVAILABLE, open_pool, repeated_if_lost
from impl.dialogs import service
from impl.dialogs.delivery import make_delivery
from impl.dialogs.queue import CallQueue
from impl.errors import translate
from impl.plugins.catalogue import Catalogue
from impl.settings import Settings
from tests.stack import Api, ScriptedPlugin, running_api, settings_for
from tests.wire import CountingProxy, Line, Proxy, _serving, counting_proxy_before


@pytest_asyncio.fixture
async def proxy(database: str) -> AsyncIterator[CountingProxy]:
    async with counting_proxy_before(database) as running:
        yield running


@pytest.fixture
def settings(proxy: Proxy, database: str, valkey: str) -> Settings:
    # Nothing but the message itself may talk to the database meanwhile, on this way.
    return settings_for(
        proxy.dsn,
        valkey,
        database_listen_url=database,
        catalogue_refresh_seconds=60,
        limits_refresh_seconds=60,
        token_refresh_seconds=30,
        database_pool_size=1,
    )


@pytest_asyncio.fixture
async def api(pool: asyncpg.Pool, settings: Settings) -> AsyncIterator[Api]:
    async with running_api(pool, settings) as running:
        yield running


async def test_a_message_takes_three_statements_and_round_trips(
    api: Api, text_reply: ScriptedPlugin, proxy: CountingProxy
) -> None:
    user, dialog = await api.user(), uuid4()
    await api.say(user, "warms the statements and the token up", dialog)
    before = proxy.statements, proxy.round_trips
    for number in range(10):
        assert (await api.say(user, f"{number}", dialog)).json["status"] == "accepted"
    assert (proxy.statements - before[0], proxy.round_trips - before[1]) == (30, 30)


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


@pytest.mark.parametrize("plugin_there", [True, False])
async def test_a_commit_whose_answer_is_lost_is_known_again(
    api: Api,
    plugin: ScriptedPlugin,
    proxy: Proxy,
    monkeypatch: pytest.MonkeyPatch,
    plugin_there: bool,
) -> None:
    if plugin_there:
        await api.add_plugin(plugin.url)
    user, dialog = await api.user(), uuid4()
    await api.say(user, "warms the statements up", dialog)
    name = "take_in" if plugin_there else "store_unanswered"
    real, runs = getattr(service, name), []

    async def cut_after_the_commit(executor: Any, *values: Any) -> Any:
        intake = await real(executor, *values)
        runs.append(intake.stored)
        if len(runs) == 1:
            proxy.cut()
            await asyncio.sleep(0.05)
            proxy.mend()
            raise ConnectionResetError
        return intake

    monkeypatch.setattr(service, name, cut_after_the_commit)
    answer = await api.say(user, "Hello!", dialog, message_id="m-1")
    assert (answer.status, runs) == (200, [True, False])
    assert answer.json["status"] == ("accepted" if plugin_there else "failed")
    history = (await api.bot("GET", f"/api/v1/dialogs/{dialog}")).json["messages"]
    said = [each["payload"]["text"] for each in history if each["sender_type"] == "user"]
    assert said == ["warms the statements up", "Hello!"]
    again = await api.say(user, "Hello!", dialog, message_id="m-1")
    assert again.raw == answer.raw


@dataclass
class Lingering(Line):
    """A server's last word arrives, and the end of the connection later."""

    said: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def _pass_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        self.said.set()
        await self.over.wait()
        writer.close()


async def test_a_connection_that_the_server_is_ending_is_no_mistake_of_ours(
    pool: asyncpg.Pool, database: str, valkey: str
) -> None:
    parts = urlsplit(database)
    line = Lingering((parts.hostname or "", parts.port or 5432))
    async with _serving(line, database, query="sslmode=disable"):
        ours = await open_pool(settings_for(line.url, valkey, database_pool_size=1))
        backend = await ours.fetchval("SELECT pg_backend_pid()")
        await pool.execute("SELECT pg_terminate_backend($1)", backend)
        await line.said.wait()

        async def ask() -> None:
            while True:  # until the last word was read
                await ours.fetchval("SELECT 1")

        with pytest.raises(asyncpg.InternalClientError) as raised:
            await ask()
        assert isinstance(raised.value, UNAVAILABLE)
        assert translate(raised.value) is not None
        line.over.set()
        assert await repeated_if_lost(lambda: ours.fetchval("SELECT 1")) == 1
        await ours.close()


@pytest.mark.parametrize("fault", ["unknown database", "wrong password"])
async def test_a_database_that_refuses_us_is_waited_for(
    pool: asyncpg.Pool, database: str, valkey: str, fault: str
) -> None:
    parts = urlsplit(database)
    if fault == "unknown database":
        dsn = urlunsplit(parts._replace(path="/nope"))
    else:
        dsn = urlunsplit(parts._replace(netloc=parts.netloc.replace("@", "x@", 1)))
    settings = settings_for(dsn, valkey, queue_poll_seconds=0.05)
    async with (
        running_api(pool, settings) as api,
        open_resources(settings, make_metrics()) as resources,
    ):
        catalogue = Catalogue(resources.pool, settings.fallback_plugin)
        delivery = make_delivery(
            resources.pool, resources.caller, catalogue, settings, resources.metrics
        )
        queue = CallQueue(resources.pool, delivery, settings, resources.metrics)
        loop = asyncio.create_task(queue.run())
        await asyncio.sleep(0.3)
        ready = await api.send("GET", "/readyz")
        assert (ready.status, ready.json["code"]) == (503, "database_unavailable")
        assert not loop.done()
        loop.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await loop


async def test_what_we_tell_asyncpg_wrongly_is_our_mistake_not_the_databases() -> None:
    with pytest.raises(asyncpg.InterfaceError) as raised:
        await asyncpg.connect("http://127.0.0.1")
    assert translate(raised.value) is None
    assert translate(asyncpg.InterfaceError("connection is closed")) is not None


async def test_a_loop_that_dies_takes_the_process_with_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_catalogue: Catalogue, _every: float) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Catalogue, "watch", broken)
    heard: list[BaseException | None] = []
    monkeypatch.setattr(app, "_stop_loudly", lambda task: heard.append(task.exception()))
    built = app.create_app(settings)
    async with built.router.lifespan_context(built):
        await asyncio.sleep(0.05)
    assert [type(error) for error in heard] == [ZeroDivisionError]


async def test_the_last_word_of_a_dead_loop_ends_the_process() -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    task = asyncio.create_task(broken(), name="broken")
    await asyncio.wait({task})
    with pytest.raises(SystemExit, match="broken died"):
        app._stop_loudly(task)
