"""What is called again from the queue, when, and what never is: nothing is done twice."""

from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import web

from impl.dialogs.queries.claim import CLAIM
from impl.settings import Settings
from tests.integration.api.queued import (
    LATER,
    called,
    calls,
    hang,
    lose_the_instance,
    queue,
    recover,
    say,
    worker,
)
from tests.integration.api.test_plugin_failures import cut_off, status
from tests.stack import Api, ScriptedPlugin, manifest, settings_for


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(database, valkey, queue_backoff_seconds=0.02, call_attempts=3)


async def register_once(api: Api, plugin: ScriptedPlugin) -> None:
    """A plugin whose calls must not be repeated."""
    described: dict[str, Any] = manifest("text_reply")
    described["capabilities"] = {"supports_retry": False}
    body = {"name": "text_reply", "version": "1.0.0", "base_url": plugin.url}
    answer = await api.register({**body, "manifest": described})
    assert answer.status == 201, answer.raw


async def test_a_plugin_that_says_when_is_not_called_earlier(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    text_reply.reply = status(429, "200")
    await say(api, await api.user(), "Hello!", headers=LATER)
    assert await recover(pool, settings) == 1
    assert await calls(pool) == [("queued", 1, None)]
    later = "SELECT available_at > now() + interval '100 seconds' FROM plugin_calls"
    assert await pool.fetchval(later)
    assert len(text_reply.calls) == 1


async def test_what_is_to_come_after_the_call_is_worth_it_ends_it(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    text_reply.reply = status(429, "3600")
    await say(api, await api.user(), "Hello!", headers=LATER)
    assert await recover(pool, settings) == 1
    assert await calls(pool) == [("failed", 1, "plugin_unavailable")]


async def test_a_plugin_that_broke_off_within_its_answer_acted(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    text_reply.reply = cut_off
    await say(api, await api.user(), "Hello!", headers=LATER)
    assert await recover(pool, settings) == 1
    assert await calls(pool) == [("failed", 1, "plugin_unavailable")]
    assert len(text_reply.calls) == 1


async def test_without_a_budget_for_it_a_call_waits_longest(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    frugal = settings.model_copy(update={"plugin_retry_budget": 0})
    text_reply.reply = status(503)
    await say(api, await api.user(), "Hello!", headers=LATER)
    assert await recover(pool, frugal) == 1
    later = "SELECT available_at > now() + interval '10 seconds' FROM plugin_calls"
    assert await pool.fetchval(later)


async def test_a_plugin_without_retries_that_is_late_has_failed(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    await register_once(api, plugin)
    plugin.reply = hang
    answer = await say(api, await api.user(), "Hello!", headers={"X-Deadline-Ms": "2000"})
    assert (answer.status, answer.json["error"]["code"]) == (200, "plugin_timeout")
    assert await calls(pool) == [("timeout", 1, "plugin_timeout")]
    assert await recover(pool, settings) == 0


async def test_a_plugin_without_retries_is_not_called_for_an_instance_that_died(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    await register_once(api, plugin)
    dialog = uuid4()
    sent = await say(api, await api.user(), "Hello!", dialog, "m-1")
    assert sent.status == 200
    undo = "UPDATE plugin_calls SET status = 'in_progress', finished_at = NULL"
    await pool.execute(undo)
    await lose_the_instance(pool)
    assert await recover(pool, settings) == 1
    assert await calls(pool) == [("timeout", 2, "plugin_timeout")]
    assert len(plugin.calls) == 1


async def test_a_plugin_without_retries_is_called_again_where_nothing_reached_it(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    await register_once(api, plugin)
    await say(api, await api.user(), "Hello!", headers=LATER)
    await pool.execute("UPDATE plugins SET base_url = 'http://127.0.0.1:1'")
    assert await recover(pool, settings) == 1
    assert await calls(pool) == [("queued", 1, None)]
    await pool.execute("UPDATE plugins SET base_url = $1", plugin.url)
    await pool.execute("UPDATE plugin_calls SET available_at = now()")
    assert await recover(pool, settings) == 1
    assert await calls(pool) == [("succeeded", 2, None)]


async def test_a_worker_makes_one_attempt_at_a_time(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    async def busy(_body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    text_reply.reply = busy
    await say(api, await api.user(), "Hello!", headers=LATER)
    assert await recover(pool, settings) == 1
    assert len(text_reply.calls) == 1


async def test_a_plugin_that_is_left_alone_costs_its_calls_no_attempt(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    text_reply.reply, good = status(503), text_reply.reply
    patient = settings.model_copy(
        update={"breaker_calls": 1, "breaker_open_seconds": 60, "call_attempts": 2}
    )
    await say(api, await api.user(), "Hello!", headers=LATER)
    async with queue(pool, patient) as one:
        assert await one.run_once() == 1
        await pool.execute("UPDATE plugin_calls SET available_at = now()")
        assert [await one.run_once() for _ in range(5)] == [0] * 5
        assert await calls(pool) == [("queued", 1, None)]
        text_reply.reply = good
        (line,) = one.delivery.caller._lines.values()
        line.breaker._open_until = 0.0  # that time has passed
        assert await one.run_once() == 1
    assert await calls(pool) == [("succeeded", 2, None)]


async def test_what_was_refused_by_the_breaker_does_not_count(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    """Two were claimed before the first one's failure opened it."""
    text_reply.reply = status(503)
    strict = settings.model_copy(update={"breaker_calls": 1, "breaker_open_seconds": 200})
    await say(api, await api.user(), "Hello!", headers=LATER)
    async with queue(pool, strict) as one:
        claimed = await one._claim()
        one.delivery.caller._line(claimed[0][0].call.plugin_id).breaker._open()
        await one._make(*claimed[0])
    row = await pool.fetchrow(
        "SELECT status, attempt, excused, available_at > now() + interval '55 s' FROM plugin_calls"
    )
    assert tuple(row) == ("queued", 1, 1, True)
    assert text_reply.calls == []


async def test_workers_that_stop_cost_a_call_no_attempt(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    text_reply.reply, good = hang, text_reply.reply
    await say(api, await api.user(), "Hello!", headers=LATER)
    for turn in range(1, settings.call_attempts + 2):
        async with worker(pool, settings):
            await called(text_reply, turn)
    text_reply.reply = good
    assert await recover(pool, settings) == 1
    assert [call[0] for call in await calls(pool)] == ["succeeded"]


@pytest.mark.parametrize("found", ["queued", "in_progress"])
async def test_what_is_worth_nothing_any_more_is_ended_and_not_made(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings, found: str
) -> None:
    """Also while its plugin has no place to give."""
    await say(api, await api.user(), "Hello!", headers=LATER)
    late = "UPDATE plugin_calls SET status = $1, deadline_at = now() - interval '3 days'"
    await pool.execute(f"{late}, lease_until = now()", found)
    full = settings.model_copy(update={"plugin_concurrency": 1})
    async with queue(pool, full) as one:
        slot = one.delivery.slots.reserve(await pool.fetchval("SELECT id FROM plugins"))
        assert slot is not None
        assert await one.run_once() == 1
    assert [(call[0], call[2]) for call in await calls(pool)] == [("timeout", "plugin_timeout")]
    assert text_reply.calls == []


async def test_a_claim_never_reads_all_that_waits_for_each_that_waits(pool: asyncpg.Pool) -> None:
    """By a join that the statistics of an empty queue make look cheap."""
    plan = await pool.fetch(f"EXPLAIN {CLAIM}", 30.0, 64, [], [], 8)
    assert "Anti Join" not in "\n".join(row[0] for row in plan)
