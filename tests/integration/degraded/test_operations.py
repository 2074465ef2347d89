"""Every operation of the contract answers without Redis as it does with it: docs/DEGRADED.md."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from generated.metrics import make_metrics
from impl.events.comparison.stream import compare
from impl.events.relay import Relay
from impl.redis import relay_client
from impl.settings import Settings
from tests.redis_faults import AWAY, FAULTS, Server
from tests.stack import running_api
from tests.wire import Line
from tools.bundler import bundle
from tools.conform.answers import Answer
from tools.conform.client import Client
from tools.conform.good import caller, good_request
from tools.conform.keys import issued_keys
from tools.conform.plugin import serving_plugin
from tools.conform.world import World
from tools.contract import operations

CONTRACT = bundle("openapi.yaml")
OPERATIONS = {operation.id: operation for operation in operations(CONTRACT)}
TIMEOUT = 0.25
SPARE = 1.0  # of a machine that does other things too


@dataclass(frozen=True)
class Said:
    """What of an answer must be the same."""

    status: int
    kind: str | None
    headers: frozenset[str]
    members: frozenset[str]

    @classmethod
    def of(cls, answer: Answer) -> "Said":
        kind = answer.headers.get("content-type")
        body = answer.json if kind and kind.endswith("json") else None
        members = frozenset(body) if isinstance(body, dict) else frozenset()
        return cls(answer.status, kind, frozenset(answer.headers), members)


@dataclass
class Heard:
    said: dict[str, Said]
    took: dict[str, float]
    bodies: dict[str, Answer]


@pytest_asyncio.fixture
async def world(pool: asyncpg.Pool, settings: Settings, redis: Redis) -> AsyncIterator[World]:
    """The API, and a client that can make a good request of each operation."""
    async with (
        running_api(pool, settings) as api,
        issued_keys(settings.database_url.get_secret_value()) as keys,
        serving_plugin("127.0.0.1") as plugin,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
    ):
        client = Client(api.url, CONTRACT["components"]["securitySchemes"], session)
        made = World(client, OPERATIONS, keys, plugin)
        await made.receive_messages()
        yield made


async def every(world: World) -> Heard:
    """A good request of each operation, one after the other."""
    heard = Heard({}, {}, {})
    who = await caller(world)
    for name, operation in OPERATIONS.items():
        request = await good_request(world, operation, who)
        began = time.perf_counter()
        answer = await world.client.send(request)
        heard.took[name] = time.perf_counter() - began
        heard.said[name], heard.bodies[name] = Said.of(answer), answer
    return heard


@asynccontextmanager
async def relaying(pool: asyncpg.Pool, settings: Settings) -> AsyncIterator[Relay]:
    client = relay_client(settings)
    try:
        yield Relay(pool, client, 100, 0.01, make_metrics())
    finally:
        await client.aclose()


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_operation_answers_as_with_redis(
    fault: str, *, world: World, line: Line, redis: Redis, pool: asyncpg.Pool, settings: Settings
) -> None:
    before = await every(world)
    assert {said.status // 100 for said in before.said.values()} == {2}
    async with FAULTS[fault](Server(line, redis)):
        during = await every(world)
    assert during.said == before.said
    late = {name: took for name, took in during.took.items() if took > TIMEOUT + SPARE}
    assert late == {}
    assert not any(world.client.body_faults.values())
    if fault in AWAY:
        assert during.bodies["getReadiness"].json["mode"] == "degraded"
        assert "botcore_limits_alone 1.0" in during.bodies["getMetrics"].content.decode()
        assert "botcore_degraded 1.0" in during.bodies["getMetrics"].content.decode()
    async with relaying(pool, settings) as relay:
        await relay.check_streams()
        while await relay.drain_once():
            pass
    assert await differences(pool, redis) == []


async def differences(pool: asyncpg.Pool, redis: Redis) -> list[str]:
    """Between the streams and the tables."""
    reports = [report async for report in compare(pool, redis)]
    assert sum(report.agree for report in reports) > len(OPERATIONS), "nothing was compared"
    return [line for report in reports if report.differs for line in report.lines()]
