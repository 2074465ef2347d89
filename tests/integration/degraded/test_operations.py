"""Every operation of the contract answers without Redis as it does with it: docs/DEGRADED.md."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from generated.metrics import make_metrics
from impl.events.comparison.stream import compare
from impl.events.relay import Relay
from impl.redis import relay_client
from impl.settings import Settings
from tests.every_operation import OPERATIONS, asking, every
from tests.patience import PATIENT_SECONDS
from tests.redis_faults import AWAY, FAULTS, Server
from tests.stack import running_api
from tests.wire import Line
from tools.conform.world import World

TIMEOUT = 0.25
SPARE = PATIENT_SECONDS / 2  # of a machine that does other things too


@pytest_asyncio.fixture
async def world(pool: asyncpg.Pool, settings: Settings, redis: Redis) -> AsyncIterator[World]:
    database = settings.database_url.get_secret_value()
    async with running_api(pool, settings) as api, asking(api.url, database) as made:
        yield made


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
