"""Health proved, not claimed: a plugin's golden examples are sent as dry runs, and judged."""

import asyncio
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from impl.plugins.watcher.watcher import Watcher
from impl.settings import Settings
from tests.integration.plugins.conftest import counted
from tests.integration.plugins.rows import add, until
from tests.integration.plugins.test_watcher import STATUS, running
from tests.patience import PATIENT_SECONDS
from tests.stack import ScriptedPlugin, manifest, regex_intent, settings_for


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(
        database,
        valkey,
        watch_seconds=0.02,
        probe_interval_seconds=0.02,
        heartbeat_missed_seconds=3600,
    )


def proving(*names: str) -> dict[str, Any]:
    """A manifest with an example of each of these names."""
    return {
        **manifest("weather", "1.0.0", regex_intent("forecast", "^/weather")),
        "capabilities": {"dry_run": True},
        "golden_examples": [
            {
                "name": name,
                "payload": {"type": "text", "text": f"/weather {name}"},
                "intent": "forecast",
                "locale": "ru",
            }
            for name in names
        ],
    }


async def test_examples_are_dry_runs_of_nobodys_dialog(
    watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    one = await add(pool, plugin.url, described=proving("Rome", "Oslo"))
    async with running(watcher):
        await asyncio.wait_for(plugin.called.wait(), PATIENT_SECONDS)
        while len(plugin.calls) < 4:  # noqa: ASYNC110  # two probes
            await asyncio.sleep(0.01)
    call, headers = plugin.calls[0], plugin.headers[0]
    assert (call["dry_run"], call["intent"]) == (True, "forecast")
    assert call["payload"]["text"] == "/weather Rome"
    assert call["context"] == {"messages": [], "locale": "ru", "metadata": {}}
    assert {call["dialog_id"], call["user_id"]} == {"00000000-0000-0000-0000-000000000000"}
    assert call["deadline_ms"] == 30_000
    token = watcher.caller.invocation_token(one)
    assert headers["Authorization"] == f"Bearer {token}"
    assert len({call["invocation_id"] for call in plugin.calls}) == len(plugin.calls)
    assert await pool.fetchval("SELECT count(*) FROM plugin_calls") == 0
    assert await pool.fetchval("SELECT status FROM plugins") == "active"


async def broken(body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
    text = "Sunny." if "Rome" in body["payload"]["text"] else 7
    return web.json_response({"text": text, "trace_id": body["trace_id"]})


async def nul_in_a_name(body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
    good = {"text": "Sunny.", "trace_id": body["trace_id"]}
    return web.json_response(good | ({} if "Rome" in body["payload"]["text"] else {"a\0b": 1}))


async def slow(body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
    if "Oslo" in body["payload"]["text"]:
        await asyncio.Event().wait()
    return web.json_response({"text": "Sunny.", "trace_id": body["trace_id"]})


async def refusing(body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
    good = {"text": "Sunny.", "trace_id": body["trace_id"]}
    return web.json_response(good, status=200 if "Rome" in body["payload"]["text"] else 400)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (broken, "golden example Oslo: plugin_answer_invalid: validation_failed /text"),
        (nul_in_a_name, "golden example Oslo: plugin_answer_invalid: validation_failed /a\ufffdb"),
        (refusing, "golden example Oslo: plugin_rejected: status 400"),
    ],
)
async def test_an_example_that_fails_is_a_failed_probe_and_says_why(
    reply: Any, reason: str, watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    await assert_the_second_fails(reply, reason, watcher, pool, plugin)


async def test_an_example_that_is_not_answered_in_time_is_a_failed_probe(
    watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    hasty = watcher.settings.model_copy(update={"call_deadline_seconds": 2.0})
    looks = Watcher(watcher.pool, watcher.caller, hasty, watcher.metrics)
    reason = "golden example Oslo: plugin_timeout: "
    await assert_the_second_fails(slow, reason, looks, pool, plugin)


async def assert_the_second_fails(
    reply: Any, reason: str, watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    plugin.reply = reply
    one = await add(pool, plugin.url, described=proving("Rome", "Oslo", "Bonn"))
    async with running(watcher):
        await until(pool, STATUS, one, "degraded")
    audited = await pool.fetchval(
        "SELECT details FROM audit_logs WHERE action = 'plugin_status_changed'"
    )
    assert audited["reason"] == "health"
    assert audited["detail"].startswith(reason)
    asked = {call["payload"]["text"] for call in plugin.calls}
    assert asked == {"/weather Rome", "/weather Oslo"}, "the first that fails is enough"
    read = counted(watcher.metrics)
    assert (read("plugin_probes_total", result="golden_example") or 0) >= 3


async def test_an_answer_that_breaks_the_plugins_own_schema_fails_the_probe(
    watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    """It fits the contract: only the schema that was pinned at registration refuses it."""
    one = await add(pool, plugin.url, described=proving("Rome"))
    async with running(watcher):
        await asyncio.wait_for(plugin.called.wait(), PATIENT_SECONDS)
        await until(pool, "(SELECT probe_claim IS NULL AND probe_failures = 0 FROM plugins)")
        schema = {"properties": {"text": {"maxLength": 1}}}
        await pool.execute("UPDATE plugins SET output_schema = $1", schema)
        await until(pool, STATUS, one, "degraded")
    audited = await pool.fetchval(
        "SELECT details FROM audit_logs WHERE action = 'plugin_status_changed'"
    )
    assert audited["reason"] == "health"
    expected = "golden example Rome: plugin_output_invalid: /text maxLength"
    assert audited["detail"].startswith(expected)


@pytest.mark.parametrize("capabilities", [None, {}, {"dry_run": False}])
async def test_without_dry_run_nothing_is_sent(
    capabilities: Any, watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    described = {**proving(), "capabilities": capabilities}
    await add(pool, plugin.url, described=described, status="registering")
    async with running(watcher):
        await until(pool, "(SELECT status = 'active' FROM plugins)")
    assert plugin.calls == []
