"""What `/readyz` and the metrics tell of the mode: what workers found, and what is seen here."""

import asyncio

import asyncpg
import pytest
from redis.asyncio import Redis

from generated.metrics import make_metrics
from impl.events.relay import Relay
from impl.ratelimit.shared import FILLED
from impl.settings import Settings
from tests.integration.degraded.rows import ago, degrade, event_waits
from tests.patience import PATIENT_SECONDS
from tests.stack import Api, running_api, scripted_plugin, settings_for
from tests.wire import Line, proxy_before

SELDOM: dict[str, float] = {
    "limits_refresh_seconds": 60,
    "catalogue_refresh_seconds": 60,
    "token_refresh_seconds": 30,
}


async def until(api: Api, mode: str) -> None:
    async with asyncio.timeout(PATIENT_SECONDS):
        while (await api.send("GET", "/readyz")).json["mode"] != mode:  # noqa: ASYNC110  # no event tells of it
            await asyncio.sleep(0.01)


async def filled(redis: Redis) -> None:
    """What an instance does with Redis when it starts is done: its next look is far away."""
    async with asyncio.timeout(PATIENT_SECONDS):
        while not await redis.exists(FILLED):  # noqa: ASYNC110  # of another process
            await asyncio.sleep(0.01)


async def test_it_tells_what_the_workers_found(
    pool: asyncpg.Pool, settings: Settings, redis: Redis
) -> None:
    async with running_api(pool, settings) as api:
        await until(api, "normal")
        await ago(pool)
        await degrade(pool)
        await until(api, "degraded")
        assert "botcore_degraded 1.0" in (await api.send("GET", "/metrics")).raw.decode()
        await pool.execute("UPDATE core_state SET degraded_since = NULL, degraded_reason = NULL")
        await until(api, "normal")
        assert "botcore_degraded 0.0" in (await api.send("GET", "/metrics")).raw.decode()


async def test_without_a_worker_it_tells_what_it_sees(
    pool: asyncpg.Pool, settings: Settings, redis: Redis
) -> None:
    """What the last worker found an hour ago is of an hour ago."""
    await degrade(pool)
    await ago(pool, looked_at=3600)
    async with running_api(pool, settings) as api:
        await until(api, "normal")
        await event_waits(pool, 6)
        await until(api, "degraded")
        relay = Relay(pool, redis, batch=10, poll_seconds=1, metrics=make_metrics())
        assert await relay.drain_once() == 1
        await until(api, "normal")


@pytest.mark.parametrize("how", ["hung", "stopped"])
async def test_it_waits_for_redis_no_longer_than_a_timeout_and_only_once(
    how: str, pool: asyncpg.Pool, database: str, line: Line, redis: Redis
) -> None:
    async with running_api(pool, settings_for(database, line.url, **SELDOM)) as api:
        await until(api, "normal")
        await filled(redis)
        if how == "hung":
            line.stall()
        else:
            line.cut()
        async with asyncio.timeout(PATIENT_SECONDS / 2):
            answer = await api.send("GET", "/readyz")
        assert (answer.status, answer.json) == (200, {"status": "ready", "mode": "degraded"})
        asked = line.asked
        for path in ("/readyz", "/metrics") * 3:
            await api.send("GET", path)
        assert line.asked == asked, "somebody asked again"


async def test_a_request_that_finds_redis_hanging_waits_for_all(
    pool: asyncpg.Pool, database: str, line: Line, redis: Redis
) -> None:
    """The limiter finds it, and neither the probe nor the scrape asks."""
    async with (
        running_api(pool, settings_for(database, line.url, **SELDOM)) as api,
        scripted_plugin() as plugin,
    ):
        user = await api.user()
        await api.add_plugin(plugin.url)
        await filled(redis)
        line.stall()
        answer = await api.say(user, "Hello!")
        assert answer.json["status"] in ("accepted", "failed")
        asked = line.asked
        assert (await api.send("GET", "/readyz")).json["mode"] == "degraded"
        metrics = (await api.send("GET", "/metrics")).raw.decode()
        assert line.asked == asked, "somebody asked again"
        assert 'botcore_dependency_up{dependency="redis"} 0.0' in metrics
        assert "botcore_limits_alone 1.0" in metrics
        line.mend()


async def test_no_probe_asks_the_database_for_the_mode(
    pool: asyncpg.Pool, database: str, line: Line, redis: Redis
) -> None:
    async with proxy_before(database) as proxy:
        settings = settings_for(proxy.dsn, line.url, **SELDOM)
        async with running_api(pool, settings) as api:

            async def cost() -> int:
                before = proxy.round_trips
                await api.send("GET", "/readyz")
                return proxy.round_trips - before

            async with asyncio.timeout(PATIENT_SECONDS):  # until what a start asks is over
                while [await cost() for _ in range(5)] != [1] * 5:
                    pass
