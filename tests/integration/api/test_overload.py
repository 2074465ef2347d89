"""A database that hangs, and a flood of tokens that nobody has: nobody waits for long."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar
from uuid import uuid4

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

from impl.settings import Settings
from impl.tokens.format import mint
from tests.integration.api.test_plugins import waiting as waiting_for_a_lock
from tests.patience import PATIENT_SECONDS
from tests.stack import Api, ScriptedPlugin, settings_for
from tests.wire import Proxy, proxy_before

pytestmark = pytest.mark.usefixtures("limits_as_deployed")
T = TypeVar("T")


class Line:
    """Lets what goes to the database through, or holds it, as one that is frozen."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                await self.open.wait()
                writer.write(data)
        writer.close()


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    line = Line()
    monkeypatch.setattr(Proxy, "_pass_on", lambda _proxy, *ends, asks=False: line.pass_on(*ends))
    return line


@pytest_asyncio.fixture
async def proxy(database: str, line: Line) -> AsyncIterator[Proxy]:
    async with proxy_before(database) as running:
        yield running


@pytest.fixture
def settings(proxy: Proxy, valkey: str) -> Settings:
    return settings_for(
        proxy.dsn,
        valkey,
        catalogue_refresh_seconds=60,
        limits_refresh_seconds=60,
        token_refresh_seconds=30,
        database_pool_size=5,
        token_cache_seconds=0.05,
    )


async def timed(work: Awaitable[T]) -> tuple[T, float]:
    began = time.monotonic()
    return await work, time.monotonic() - began


async def test_while_a_table_is_locked_everybody_gets_503_in_time_and_nobody_waits_in_a_queue(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user = await api.user()
    async with pool.acquire() as holder, holder.transaction():
        await holder.execute("LOCK TABLE dialogs IN ACCESS EXCLUSIVE MODE")
        asked = [asyncio.create_task(timed(api.say(user, "Hello!"))) for _ in range(30)]
        await waiting_for_a_lock(pool, 5)  # the whole pool
        ready, ready_took = await timed(api.send("GET", "/readyz"))
        answers = await asyncio.gather(*asked)
    assert {(each.status, each.json["code"]) for each, _ in answers} == {
        (503, "database_unavailable")
    }
    # In a queue of the pool's five, each of which waits three seconds, the last would wait 18.
    assert max(took for _, took in answers) < 15
    assert (ready.status, ready.json["code"]) == (503, "database_unavailable")
    assert ready_took < 15
    assert (await api.say(user, "Hello!")).json["status"] == "accepted"


async def test_a_database_that_says_nothing_more_is_given_up_in_time(
    api: Api, text_reply: ScriptedPlugin, line: Line
) -> None:
    user = await api.user()
    await api.say(user, "warms the pool up")
    line.open.clear()
    answers = await asyncio.gather(*(timed(api.say(user, "Hello!")) for _ in range(15)))
    line.open.set()
    assert {(each.status, each.json["code"]) for each, _ in answers} == {
        (503, "database_unavailable")
    }
    assert max(took for _, took in answers) < PATIENT_SECONDS / 2
    assert (await api.say(user, "Hello!")).json["status"] == "accepted"


async def test_a_flood_of_unknown_tokens_refuses_no_good_one(api: Api) -> None:
    path, stop = f"/api/v1/dialogs/{uuid4()}", asyncio.Event()
    assert (await api.bot("GET", path)).status == 404

    async def flood() -> set[int]:
        seen = set()
        async with aiohttp.ClientSession() as session:
            while not stop.is_set():
                headers = {"X-Bot-Token": mint("bot").plaintext}
                async with session.get(api.url + path, headers=headers) as answer:
                    seen.add(answer.status)
        return seen

    floods = [asyncio.create_task(flood()) for _ in range(100)]
    good = []
    for _ in range(10):  # each with the token's row read anew
        await asyncio.sleep(0.1)
        good.append((await api.bot("GET", path)).status)
    stop.set()
    assert set().union(*await asyncio.gather(*floods)) <= {401, 503}
    assert set(good) == {404}
