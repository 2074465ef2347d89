"""Plugins that fall silent or ill are degraded, and come back by themselves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from generated.triggers import PROBE_FAILURES
from impl.plugins.watcher import queries
from impl.plugins.watcher.watcher import Watcher
from tests.integration.plugins.conftest import counted
from tests.integration.plugins.rows import (
    add,
    beat,
    changes,
    events,
    fall_silent,
    probed_twice,
    until,
)
from tests.patience import PATIENT_SECONDS
from tests.stack import ScriptedPlugin

NOWHERE = "http://127.0.0.1:1"
STATUS = "(SELECT status FROM plugins WHERE id = $1) = $2"


@asynccontextmanager
async def running(watcher: Watcher) -> AsyncIterator[None]:
    task = asyncio.create_task(watcher.run())
    try:
        yield
    finally:
        assert not task.done(), task.exception()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_silent_plugin_is_degraded_until_a_probe_and_a_heartbeat(
    watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    one = await add(pool, plugin.url)
    other = await add(pool, plugin.url, "other")
    async with running(watcher):
        await fall_silent(pool, one)
        await until(pool, STATUS, one, "degraded")
        row = await pool.fetchrow("SELECT * FROM plugins WHERE id = $1", one)
        assert (row["outage_reason"], row["outage_since"] is None) == ("heartbeat", False)
        await probed_twice(pool, one)
        assert await pool.fetchval(f"SELECT {STATUS}", one, "degraded"), "good probes alone"
        assert await beat(pool, one) == "degraded"
        await until(pool, STATUS, one, "active")
        read = counted(watcher.metrics)
        async with asyncio.timeout(PATIENT_SECONDS):
            while not read("plugin_recoveries_total"):  # noqa: ASYNC110  # once it hears that it is stored
                await asyncio.sleep(0.01)
    assert await events(pool, one) == ["plugin_heartbeat_missed", "plugin_recovered"]
    assert await changes(pool, one) == [
        ("active", "degraded", "heartbeat"),
        ("degraded", "active", "recovered"),
    ]
    assert await events(pool, other) == []
    assert read("plugin_outages_total", reason="heartbeat") == 1
    assert read("plugin_recoveries_total") == 1
    assert (read("plugin_probes_total", result="ok") or 0) > 0


async def test_a_heartbeat_alone_ends_no_outage(
    watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    plugin.healthy = False
    one = await add(pool, plugin.url)
    async with running(watcher):
        await fall_silent(pool, one)
        await until(pool, STATUS, one, "degraded")
        for _ in range(3):
            assert await beat(pool, one) == "degraded"
            failures = await pool.fetchval("SELECT probe_failures FROM plugins")
            await until(pool, "(SELECT probe_failures > $1 FROM plugins)", failures)
        assert await events(pool, one) == ["plugin_heartbeat_missed"]
        plugin.healthy = True
        await beat(pool, one)
        await until(pool, STATUS, one, "active")
    assert await events(pool, one) == ["plugin_heartbeat_missed", "plugin_recovered"]


async def test_three_failed_probes_are_an_outage(
    watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    one = await add(pool, plugin.url)
    plugin.healthy = False
    async with running(watcher):
        await until(pool, STATUS, one, "degraded")
        plugin.healthy = True
        assert await beat(pool, one) == "degraded"
        await until(pool, STATUS, one, "active")
    event = await pool.fetchrow(
        "SELECT payload, severity FROM plugin_events WHERE event_type = 'plugin_heartbeat_missed'"
    )
    assert (event["payload"]["reason"], event["severity"]) == ("health", "warning")
    audited = await pool.fetchval(
        "SELECT details FROM audit_logs WHERE action = 'plugin_status_changed' ORDER BY id LIMIT 1"
    )
    assert audited["detail"] == "/health: status 503"
    read = counted(watcher.metrics)
    assert (read("plugin_probes_total", result="unhealthy") or 0) >= 3
    assert read("plugin_outages_total", reason="health") == 1


async def test_two_failed_probes_are_none(watcher: Watcher, pool: asyncpg.Pool) -> None:
    one = await add(pool, NOWHERE)
    for failures in (1, 2):
        (due,) = await queries.claim(pool, 60, 10)
        assert await queries.note_ill(pool, due, 0) == failures
        assert not await queries.begin_outage(
            pool, one, "health", PROBE_FAILURES, trace_id="7f1d2c3e-5b6a-4c8d-9e0f-112233445566"
        )
    assert await pool.fetchval("SELECT status FROM plugins") == "active"


async def test_a_registering_plugin_is_active_from_its_first_good_probe(
    watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    plugin.healthy = False
    one = await add(pool, plugin.url, status="registering")
    await fall_silent(pool, one)
    async with running(watcher):
        await until(pool, "(SELECT probe_failures >= 4 FROM plugins)")
        assert await pool.fetchval("SELECT status FROM plugins") == "registering"
        plugin.healthy = True
        await until(pool, STATUS, one, "active")
        await until(pool, "(SELECT probe_failures = 0 FROM plugins)")
    assert await changes(pool, one) == [("registering", "active", "probe")]
    assert await events(pool, one) == [], "it was missed, though it was never well"


@pytest.mark.parametrize(
    "state",
    ["disabled_at = now()", "disabled_at = now(), deleted_at = now()", "updated_at = now()"],
)
async def test_a_disabled_plugin_is_neither_missed_nor_probed(
    state: str, watcher: Watcher, pool: asyncpg.Pool
) -> None:
    """Whether the core disabled it, somebody deleted it, or it said so itself."""
    one = await add(pool, NOWHERE)
    await fall_silent(pool, one)
    await pool.execute(f"UPDATE plugins SET status = 'disabled', {state}")  # above
    assert await queries.silent(pool, 60) == []
    assert await queries.claim(pool, 60, 10) == []


async def test_a_plugin_that_disables_itself_in_an_outage_comes_back_by_it(
    watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    one = await add(pool, plugin.url)
    async with running(watcher):
        await fall_silent(pool, one)
        await until(pool, STATUS, one, "degraded")
        assert await beat(pool, one, "disabled") == "disabled"
        assert await beat(pool, one) == "degraded"
        await until(pool, STATUS, one, "active")
    assert await events(pool, one) == ["plugin_heartbeat_missed", "plugin_recovered"]


async def test_a_plugin_that_calls_itself_degraded_stays_so_when_its_outage_ends(
    watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    one = await add(pool, plugin.url)
    assert await beat(pool, one, "degraded") == "degraded"
    async with running(watcher):
        await fall_silent(pool, one)
        await until(pool, "(SELECT outage_since IS NOT NULL FROM plugins)")
        assert await beat(pool, one, "degraded") == "degraded"
        await until(pool, "(SELECT outage_since IS NULL FROM plugins)")
        assert await pool.fetchval(f"SELECT {STATUS}", one, "degraded")
    assert await beat(pool, one) == "active"
    assert await events(pool, one) == ["plugin_heartbeat_missed", "plugin_recovered"]
    assert await changes(pool, one) == [
        ("active", "degraded", "heartbeat"),
        ("degraded", "active", "heartbeat"),
    ]


async def test_a_heartbeat_makes_a_registering_plugin_what_it_reports(
    watcher: Watcher, pool: asyncpg.Pool
) -> None:
    for status in ("active", "degraded"):
        one = await add(pool, NOWHERE, f"reports_{status}", status="registering")
        assert await beat(pool, one, status) == status


async def test_a_heartbeat_that_waited_for_the_outage_is_a_sign_of_life(
    watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    """It is later than the outage, though its statement began before."""
    one = await add(pool, plugin.url)
    await fall_silent(pool, one)
    async with pool.acquire() as connection, connection.transaction():
        trace = "7f1d2c3e-5b6a-4c8d-9e0f-112233445566"
        await connection.execute("SELECT 1 FROM plugins FOR NO KEY UPDATE")
        waiting = asyncio.create_task(beat(pool, one))
        await until(pool, "EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    " AND datname = current_database())")  # fmt: skip
        assert await queries.begin_outage(connection, one, "heartbeat", 60, trace_id=trace)
    assert await waiting == "degraded"
    assert await pool.fetchval("SELECT last_heartbeat > outage_since FROM plugins")


async def test_pauses_double_and_begin_anew_with_a_success(
    watcher: Watcher, pool: asyncpg.Pool
) -> None:
    await add(pool, NOWHERE)
    pauses = []
    for _ in range(8):
        await pool.execute("UPDATE plugins SET next_probe_at = now()")
        (due,) = await queries.claim(pool, 600, 1)
        await queries.note_ill(pool, due, 30)
        pauses.append(await pause(pool))
    for found, expected in zip(pauses, (30, 60, 120, 240, 300, 300, 300, 300), strict=True):
        assert expected * 0.79 <= found <= expected * 1.21
    await pool.execute("UPDATE plugins SET next_probe_at = now()")
    (due,) = await queries.claim(pool, 600, 1)
    await queries.note_well(pool, due, 30, "7f1d2c3e-5b6a-4c8d-9e0f-112233445566")
    assert 30 * 0.79 <= await pause(pool) <= 30 * 1.21
    assert await pool.fetchval("SELECT probe_failures FROM plugins") == 0


async def pause(pool: asyncpg.Pool) -> float:
    seconds: float = await pool.fetchval(
        "SELECT extract(epoch FROM next_probe_at - updated_at)::float8 FROM plugins"
    )
    return seconds


async def test_a_claimed_probe_is_nobody_elses(watcher: Watcher, pool: asyncpg.Pool) -> None:
    one = await add(pool, NOWHERE)
    (due,) = await queries.claim(pool, 600, 10)
    assert await queries.claim(pool, 600, 10) == []
    await beat(pool, one)
    assert await queries.claim(pool, 600, 10) == [], "a heartbeat had it probed twice at once"
    await pool.execute("UPDATE plugins SET next_probe_at = now()")  # its worker died
    (again,) = await queries.claim(pool, 600, 10)
    assert await queries.note_ill(pool, due, 30) == 0, "it was no longer its"
    assert await queries.note_ill(pool, again, 30) == 1


async def test_a_plugin_that_hangs_delays_no_others_probe(
    watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    reached, release = asyncio.Event(), asyncio.Event()

    async def hang(_request: web.BaseRequest) -> web.Response:
        reached.set()
        await release.wait()
        return web.Response()

    async with RawTestServer(hang) as server:
        await add(pool, str(server.make_url("/")), "hangs")
        async with running(watcher):
            await asyncio.wait_for(reached.wait(), PATIENT_SECONDS)
            one = await add(pool, plugin.url)
            await fall_silent(pool, one)
            await until(pool, STATUS, one, "degraded")
            await beat(pool, one)
            await until(pool, STATUS, one, "active")
        release.set()


async def test_what_a_stopped_worker_probes_is_probed_by_the_next(
    watcher: Watcher, pool: asyncpg.Pool
) -> None:
    reached, release = asyncio.Event(), asyncio.Event()

    async def hang(_request: web.BaseRequest) -> web.Response:
        reached.set()
        await release.wait()
        return web.Response()

    async with RawTestServer(hang) as server:
        await add(pool, str(server.make_url("/")))
        async with running(watcher):
            await asyncio.wait_for(reached.wait(), PATIENT_SECONDS)
        release.set()
    assert await pool.fetchval("SELECT probe_claim IS NULL AND next_probe_at <= now() FROM plugins")


async def test_a_plugin_that_disabled_itself_while_it_was_probed_is_probed_again(
    watcher: Watcher, pool: asyncpg.Pool
) -> None:
    """What was found of it meanwhile ends the claim, or else it would wait for the claim's end."""
    one = await add(pool, NOWHERE)
    trace = "7f1d2c3e-5b6a-4c8d-9e0f-112233445566"
    for note in ("well", "ill"):
        await pool.execute("UPDATE plugins SET next_probe_at = now()")
        (due,) = await queries.claim(pool, 600, 10)
        assert await beat(pool, one, "disabled") == "disabled"
        if note == "well":
            assert not await queries.note_well(pool, due, 30, trace)
        else:
            await queries.note_ill(pool, due, 30)
        row = await pool.fetchrow("SELECT status, probe_claim FROM plugins")
        assert tuple(row) == ("disabled", None)
        await beat(pool, one)
