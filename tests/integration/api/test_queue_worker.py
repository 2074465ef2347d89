"""How workers make the calls that wait: in order, each plugin for itself, and not for ever."""

import asyncio
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import web

from impl.settings import Settings
from tests.integration.api.queued import (
    LATER,
    QUEUED,
    STARTED,
    called,
    calls,
    hang,
    lose_the_instance,
    queue,
    read,
    recover,
    say,
    told,
    until,
    worker,
)
from tests.integration.api.test_plugin_failures import status
from tests.stack import (
    Api,
    Gate,
    ScriptedPlugin,
    echo,
    regex_intent,
    scripted_plugin,
    settings_for,
)


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(
        database,
        valkey,
        queue_poll_seconds=0.02,
        queue_backoff_seconds=0.02,
        call_attempts=3,
        plugin_concurrency=4,
    )


async def all_ended(pool: asyncpg.Pool) -> bool:
    left = "SELECT count(*) FROM plugin_calls WHERE status IN ('queued', 'in_progress')"
    return int(await pool.fetchval(left)) == 0


async def test_two_workers_make_the_calls_of_a_dialog_one_by_one_and_in_order(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    user, dialogs = await api.user(), [uuid4() for _ in range(4)]
    for number in range(6):
        for dialog in dialogs:
            assert (await say(api, user, f"{number}", dialog, headers=LATER)).status == 202
    seen: dict[str, list[str]] = defaultdict(list)
    now, most = Counter[str](), Counter[str]()

    async def slow(body: dict[str, Any], request: web.Request) -> web.StreamResponse:
        dialog = body["dialog_id"]
        seen[dialog].append(body["payload"]["text"])
        now[dialog] += 1
        most[dialog] = max(most[dialog], now[dialog])
        most["all"] = max(most["all"], now.total())
        await asyncio.sleep(0.01)
        now[dialog] -= 1
        return await echo(body, request)

    text_reply.reply = slow
    async with AsyncExitStack() as workers:
        for _ in range(2):
            await workers.enter_async_context(worker(pool, settings))
        await until(lambda: all_ended(pool))
    assert dict(seen) == {str(dialog): list("012345") for dialog in dialogs}
    assert {most[str(dialog)] for dialog in dialogs} == {1}
    assert most["all"] > 1
    # Each was told what had been said before it.
    last = next(call for call in text_reply.calls if call["payload"]["text"] == "5")
    said = [item["payload"]["text"] for item in last["context"]["messages"]]
    assert said[-1] == "echo: 4"
    assert "5" not in said


async def test_a_call_waits_for_an_earlier_one_that_a_request_makes(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    user, dialog, gate = await api.user(), uuid4(), Gate()
    text_reply.reply, good = gate.reply, text_reply.reply
    first = asyncio.create_task(say(api, user, "first", dialog))
    await called(text_reply, 1)
    await say(api, user, "second", dialog, headers=LATER)
    assert await recover(pool, settings) == 0
    gate.go_on.set()
    assert (await first).status == 200
    text_reply.reply = good
    assert await recover(pool, settings) == 1


async def test_a_plugin_that_hangs_holds_its_own_places_alone(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    async with scripted_plugin() as other:
        await api.add_plugin(other.url, "other", regex_intent("other", "^other"))
        user, text_reply.reply = await api.user(), hang
        for _ in range(settings.plugin_concurrency + 3):
            await say(api, user, "hangs", headers=LATER)
        async with worker(pool, settings):
            await called(text_reply, settings.plugin_concurrency)
            for _ in range(5):
                await say(api, user, "other", headers=LATER)
            async with asyncio.timeout(settings.call_deadline_seconds):
                await called(other, 5)
            assert len(text_reply.calls) == settings.plugin_concurrency
            untouched = "SELECT count(*) FROM plugin_calls WHERE attempt = 0"
            assert await pool.fetchval(untouched) == 3


async def test_what_may_be_tried_again_is_so_often_and_no_more(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    user, dialog, text_reply.reply = await api.user(), uuid4(), status(503)
    await say(api, user, "Hello!", dialog, "m-1", LATER)
    assert await recover(pool, settings) == 1
    assert await calls(pool) == [("queued", 1, None)]
    waits = "SELECT available_at > queued_at + interval '9 milliseconds' FROM plugin_calls"
    assert await pool.fetchval(waits)
    async with worker(pool, settings):
        await until(lambda: all_ended(pool))
    assert len(text_reply.calls) == settings.call_attempts
    assert len({call["invocation_id"] for call in text_reply.calls}) == 1
    assert await calls(pool) == [("failed", 3, "plugin_unavailable")]
    failed = ("plugin_failed", "failed", "plugin_unavailable")
    assert await told(pool) == [QUEUED, STARTED, QUEUED, STARTED, QUEUED, STARTED, failed]
    assert (await read(api, dialog, "m-1")).json["error"]["code"] == "plugin_unavailable"


async def test_what_no_repetition_mends_ends_at_once(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    text_reply.reply = status(500)
    await say(api, await api.user(), "Hello!", headers=LATER)
    assert await recover(pool, settings) == 1
    assert await calls(pool) == [("failed", 1, "plugin_rejected")]


async def test_a_plugin_that_never_answers_is_given_up(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, database: str, valkey: str
) -> None:
    settings = settings_for(database, valkey, call_deadline_seconds=0.1, call_attempts=1)
    text_reply.reply = hang
    await say(api, await api.user(), "Hello!", headers=LATER)
    assert await recover(pool, settings) == 1
    assert await calls(pool) == [("timeout", 1, "plugin_timeout")]
    assert (await told(pool))[-1] == ("plugin_timeout", "timeout", "plugin_timeout")


@pytest.mark.parametrize(
    "change", ["deadline_at = now() - interval '1 second'", "attempt = 3"], ids=["late", "often"]
)
async def test_what_is_too_late_or_was_tried_too_often_is_not_made(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings, change: str
) -> None:
    user, dialog = await api.user(), uuid4()
    await say(api, user, "Hello!", dialog, "m-1", LATER)
    await pool.execute(f"UPDATE plugin_calls SET {change}")
    assert await recover(pool, settings) == 1
    assert text_reply.calls == []
    ((outcome, _, code),) = await calls(pool)
    assert (outcome, code) == ("timeout", "plugin_timeout")
    assert (await read(api, dialog, "m-1")).json["error"]["code"] == "plugin_timeout"


async def test_no_attempt_begins_that_would_come_too_late(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, database: str, valkey: str
) -> None:
    settings = settings_for(database, valkey, queue_backoff_seconds=60)
    text_reply.reply = status(503)
    await say(api, await api.user(), "Hello!", headers=LATER)
    await pool.execute("UPDATE plugin_calls SET deadline_at = now() + interval '10 seconds'")
    assert await recover(pool, settings) == 1
    assert await calls(pool) == [("failed", 1, "plugin_unavailable")]


async def test_a_disabled_plugin_is_not_called(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    await say(api, await api.user(), "Hello!", headers=LATER)
    await pool.execute("UPDATE plugins SET status = 'disabled', disabled_at = now()")
    assert await recover(pool, settings) == 1
    assert text_reply.calls == []
    assert await calls(pool) == [("rejected", 1, "plugin_unavailable")]


async def test_a_worker_that_died_is_taken_over_under_the_same_id(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    user, dialog, gate = await api.user(), uuid4(), Gate()
    first = await say(api, user, "Hello!", dialog, "m-1", LATER)
    good, text_reply.reply = text_reply.reply, gate.reply
    async with queue(pool, settings) as dead:
        lost = asyncio.create_task(dead.run_once())
        await called(text_reply, 1)
        await lose_the_instance(pool)
        text_reply.reply = good
        assert (await say(api, user, "Hello!", dialog, "m-1")).raw == first.raw
        assert await recover(pool, settings) == 1
        final = await read(api, dialog, "m-1")
        assert final.json["plugin_responses"][0]["content"] == "echo: Hello!"
        # It was only slow: its own end is refused.
        gate.go_on.set()
        await lost
    assert (await read(api, dialog, "m-1")).raw == final.raw
    assert len({call["invocation_id"] for call in text_reply.calls}) == 1
    assert await calls(pool) == [("succeeded", 2, None)]
    assert [event for event, _, _ in await told(pool)].count("plugin_invocation_completed") == 1


async def test_a_call_that_was_handed_over_is_no_longer_its_first_owners(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    """Two hands-over of one attempt are one: the attempt fences, and the event tells."""
    text_reply.reply, good = hang, text_reply.reply
    answer = await say(api, await api.user(), "Hello!", headers={"X-Deadline-Ms": "1000"})
    assert answer.status == 202
    async with queue(pool, settings) as one:
        making = asyncio.create_task(one.run_once())
        await called(text_reply, 2)
        assert await calls(pool) == [("in_progress", 2, None)]
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
        assert not one.delivery.slots.free()
    text_reply.reply = good
    assert await recover(pool, settings) == 1  # given back at once
