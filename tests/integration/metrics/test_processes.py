"""`botcore serve` and `botcore worker` with a port for their metrics, as processes."""

import asyncio
from pathlib import Path

import aiohttp
import asyncpg
from pytest_asyncio import fixture

from impl.settings import Settings
from tests.integration.cli.commands import running, start
from tests.patience import PATIENT_SECONDS
from tests.ports import spare_port
from tests.scrape import Scrape, read
from tests.stack import Api, ScriptedPlugin


@fixture
async def environment(settings: Settings) -> dict[str, str]:
    return {
        "BOTCORE_DATABASE_URL": settings.database_url.get_secret_value(),
        "BOTCORE_REDIS_URL": settings.redis_url.get_secret_value(),
        "BOTCORE_SECRET_KEY": settings.secret_key.get_secret_value(),
        "BOTCORE_QUEUE_POLL_SECONDS": "0.05",
        "BOTCORE_DEVELOPMENT": "true",
        "BOTCORE_UNREADY_SECONDS": "0",
    }


async def scrape(port: int) -> Scrape:
    url = f"http://127.0.0.1:{port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200
        return read(await answer.read())


async def until(port: int, name: str, least: float, **labels: str) -> Scrape:
    """A scrape that shows `least` of the series."""
    async with asyncio.timeout(PATIENT_SECONDS):
        while True:
            found = await scrape(port)
            if (found.value(name, **labels) or 0) >= least:
                return found
            await asyncio.sleep(0.05)


async def test_a_worker_shows_what_it_publishes_and_takes_over(  # noqa: PLR0917  # its fixtures and parameters
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, environment: dict[str, str],
    unused_tcp_port: int, tmp_path: Path,
) -> None:  # fmt: skip
    await api.say(await api.user(), "one")
    lost = """UPDATE plugin_calls SET status = 'in_progress', response_payload = NULL,
        finished_at = NULL, lease_until = now() - interval '1 s'"""
    env = environment | {"BOTCORE_METRICS_PORT": str(unused_tcp_port)}
    async with running("worker", env=env, directory=tmp_path):
        published = "botcore_events_published_total"
        await until(unused_tcp_port, published, 1, stream="dialog:events")  # each stream by itself
        found = await until(unused_tcp_port, published, 2, stream="plugin:invocations")
        assert found.value(published, stream="dialog:events") == 1
        assert found.value("botcore_calls_recovered_total") == 0
        await until(unused_tcp_port, "botcore_dependency_up", 1, dependency="database")
        await pool.execute(lost)
        found = await until(unused_tcp_port, "botcore_calls_recovered_total", 1)
        found = await until(unused_tcp_port, "botcore_plugin_calls_total", 1, code="none")
        assert not [name for name, _ in found.samples if name == "botcore_requests_total"]


async def test_the_api_serves_on_both_ports_and_its_metrics_on_one(
    environment: dict[str, str], tmp_path: Path
) -> None:
    port, metrics_port = spare_port(), spare_port()
    ports = {"BOTCORE_PORT": str(port), "BOTCORE_METRICS_PORT": str(metrics_port)}
    async with running("serve", env=environment | ports, directory=tmp_path):
        await until(metrics_port, "botcore_dependency_up", 1, dependency="redis")
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            async with session.get("/metrics") as answer:
                assert answer.status == 404
            async with session.get("/healthz") as answer:
                assert answer.status == 200
        found = await scrape(metrics_port)
        requests = "botcore_requests_total"
        assert found.value(requests, operation="getMetrics", status="404") == 1
        assert found.value(requests, operation="getHealth", status="200") == 1


async def test_development_mode_is_told_once_at_the_start(
    api: Api, environment: dict[str, str], tmp_path: Path
) -> None:
    taken = {"BOTCORE_METRICS_PORT": api.url.rpartition(":")[2], "BOTCORE_PORT": "0"}
    for command in ("serve", "worker"):
        for setting, times in (("true", 1), ("false", 0)):
            env = environment | taken | {"BOTCORE_DEVELOPMENT": setting}
            process = await start(command, env=env, directory=tmp_path)
            out, _ = await asyncio.wait_for(process.communicate(), PATIENT_SECONDS)
            assert out.count(b"development_mode") == times


async def test_a_worker_that_misses_heartbeats_early_says_so(
    api: Api, environment: dict[str, str], tmp_path: Path
) -> None:
    taken = {"BOTCORE_METRICS_PORT": api.url.rpartition(":")[2]}
    for seconds, times in (("59", 1), ("60", 0)):
        env = environment | taken | {"BOTCORE_HEARTBEAT_MISSED_SECONDS": seconds}
        process = await start("worker", env=env, directory=tmp_path)
        out, _ = await asyncio.wait_for(process.communicate(), PATIENT_SECONDS)
        assert out.count(b"heartbeats_missed_early") == times


async def test_a_port_that_is_taken_ends_the_start_and_says_so(
    api: Api, environment: dict[str, str], tmp_path: Path
) -> None:
    taken = api.url.rpartition(":")[2]
    for command in ("serve", "worker"):
        env = environment | {"BOTCORE_METRICS_PORT": taken, "BOTCORE_PORT": "0"}
        process = await start(command, env=env, directory=tmp_path)
        out, _ = await asyncio.wait_for(process.communicate(), PATIENT_SECONDS)
        assert process.returncode not in (0, None)
        assert b"metrics_not_served" in out
