"""Workers find Redis away, and back: they say so once, and the streams have it in the end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from generated.metrics import Metrics, make_metrics
from impl.db import open_pool
from impl.degraded.gate import Gate
from impl.degraded.keeper import Keeper
from impl.degraded.queries import Rules
from impl.events.relay import Relay
from impl.process import end
from impl.redis import relay_client, request_client
from impl.settings import Settings
from tests.integration.degraded.rows import until_told
from tests.patience import PATIENT_SECONDS
from tests.wire import Line, proxy_before

QUICK = Rules(redis=0.4, lag=60, recovery=0.2, look=0.05)
REFUSALS = {"maxmemory": "1", "min-replicas-to-write": "1"}


@dataclass(frozen=True)
class Worker:
    keeper: Keeper
    metrics: Metrics

    def shown(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"botcore_{name}", labels)


@asynccontextmanager
async def keeping(settings: Settings, rules: Rules = QUICK) -> AsyncIterator[Worker]:
    """One worker's task, with a pool and a client of its own."""
    async with AsyncExitStack() as stack:
        pool = await open_pool(settings)
        stack.callback(pool.terminate)
        client = request_client(settings)
        stack.push_async_callback(client.aclose)
        metrics = make_metrics()
        keeper = Keeper(pool, Gate(client, settings.redis_timeout_seconds), rules, metrics)
        task = asyncio.create_task(keeper.run())
        try:
            yield Worker(keeper, metrics)
        finally:
            await end(task)
            assert task.cancelled(), task.exception()


async def until(condition: Callable[[], bool]) -> None:
    """What a worker counts and logs follows its commit, which others see before."""
    async with asyncio.timeout(PATIENT_SECONDS):
        while not condition():  # noqa: ASYNC110  # no event tells of it
            await asyncio.sleep(0.01)


async def test_many_workers_tell_each_outage_once(
    settings: Settings, pool: asyncpg.Pool, redis: Redis, line: Line
) -> None:
    expected: list[str] = []
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(keeping(settings)) for _ in range(5)]
        for _ in range(3):
            line.cut()
            expected.append("core_degraded")
            await until_told(pool, expected)
            line.mend()
            expected.append("core_recovered")
            await until_told(pool, expected)

        def counted(to: str) -> float:
            labels = {"to": to, "reason": "redis"}
            return sum(
                worker.shown("degraded_transitions_total", **labels) or 0 for worker in workers
            )

        await until(lambda: counted("normal") >= 3)
    assert (counted("degraded"), counted("normal")) == (3, 3)
    relay = Relay(pool, relay_client(settings), 100, 0.01, make_metrics())
    while await relay.drain_once():
        pass
    await relay.redis.aclose()
    entries: Any = await redis.xrange("plugin:events")
    assert [fields["event_type"] for _, fields in entries] == expected


@pytest.mark.parametrize("fault", ["hung", *REFUSALS])
async def test_a_redis_that_cannot_be_written_is_away(
    fault: str, settings: Settings, pool: asyncpg.Pool, redis: Redis, line: Line
) -> None:
    """The last two answer a PING as ever."""
    try:
        async with keeping(settings) as worker:
            if fault == "hung":
                line.stall()
            else:
                await redis.config_set(fault, REFUSALS[fault])
            await until_told(pool, ["core_degraded"])
            assert worker.keeper.gate.away
            await until(lambda: worker.shown("degraded") == 1)
    finally:
        for name in REFUSALS:
            await redis.config_set(name, "0")


async def test_log_lines_are_one_for_each_transition(
    settings: Settings, pool: asyncpg.Pool, line: Line
) -> None:
    with capture_logs() as logs:
        async with keeping(settings):
            line.cut()
            await until_told(pool, ["core_degraded"])
            line.mend()
            await until_told(pool, ["core_degraded", "core_recovered"])
            await until(lambda: "core_recovered" in [entry["event"] for entry in logs])
    found = [(entry["event"], entry["log_level"], entry.get("reason")) for entry in logs]
    assert [each for each in found if each[0].startswith("core_")] == [
        ("core_degraded", "warning", "redis"),
        ("core_recovered", "info", "redis"),
    ]


async def test_a_database_that_is_away_is_waited_for(
    settings: Settings, database: str, pool: asyncpg.Pool, line: Line
) -> None:
    async with proxy_before(database) as proxy:
        away = settings.model_copy(update={"database_url": type(settings.database_url)(proxy.dsn)})
        async with keeping(away):
            proxy.cut()
            await asyncio.sleep(0.2)  # several looks, each of which fails
            proxy.mend()
            line.cut()
            await until_told(pool, ["core_degraded"])
