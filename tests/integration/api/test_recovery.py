"""A call whose instance died ends all the same, once, under the same invocation_id."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import web
from pydantic import ValidationError

from impl.settings import Settings
from tests.integration.api.queued import called, hang, lose_the_instance, recover, until, worker
from tests.patience import PATIENT_SECONDS
from tests.stack import Answer, Api, Gate, ScriptedPlugin, settings_for


async def statuses(pool: asyncpg.Pool) -> list[tuple[str, int]]:
    rows = await pool.fetch("SELECT status, attempt FROM plugin_calls ORDER BY created_at")
    return [tuple(row) for row in rows]


async def contains(pool: asyncpg.Pool, status: tuple[str, int]) -> bool:
    return status in await statuses(pool)


@dataclass
class Lost:
    """Messages whose calls hang at the plugin, as if their instance had died."""

    messages: list["asyncio.Task[Answer]"]
    gate: Gate

    async def answers(self) -> list[Answer]:
        """The instance was only slow: the plugin answers it after all."""
        self.gate.go_on.set()
        return await asyncio.gather(*self.messages)


async def orphans(api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool, *texts: str) -> Lost:
    gate = Gate()
    good, plugin.reply = plugin.reply, gate.reply
    user, expected = await api.user(), len(plugin.calls) + len(texts)
    messages = [asyncio.create_task(api.say(user, text, message_id=text)) for text in texts]
    await called(plugin, expected)
    plugin.reply = good  # before a worker that looks already takes them
    await lose_the_instance(pool)
    return Lost(messages, gate)


async def test_an_orphaned_call_is_delivered_again_with_its_id_and_its_history(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    user, dialog, killed = await api.user(), uuid4(), asyncio.Event()
    await api.say(user, "one", dialog)

    async def never(_body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
        await killed.wait()
        return web.Response(status=500)

    good, text_reply.reply = text_reply.reply, never
    text_reply.called.clear()
    lost = asyncio.create_task(api.say(user, "two", dialog, message_id="m-2"))
    await text_reply.called.wait()
    await lose_the_instance(pool)
    text_reply.reply = good
    assert await recover(pool, settings) == 1

    first, second = text_reply.calls[1], text_reply.calls[2]
    assert second["invocation_id"] == first["invocation_id"]
    assert second["context"] == first["context"]
    assert second["payload"] == first["payload"]
    again = await api.say(user, "two", dialog, message_id="m-2")
    assert again.json["plugin_responses"][0]["content"] == "echo: two"
    # The instance was only slow: its own end is refused, and it sends what was stored.
    killed.set()
    assert (await lost).raw == again.raw
    assert await statuses(pool) == [("succeeded", 1), ("succeeded", 2)]
    events = "SELECT count(*) FROM audit_logs WHERE action = 'plugin_invocation_completed'"
    assert await pool.fetchval(events) == 2


async def test_a_lease_that_runs_is_left_alone(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    go_on = asyncio.Event()

    async def slow(body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
        await go_on.wait()
        return web.json_response({"text": "done", "trace_id": body["trace_id"]})

    text_reply.reply = slow
    call = asyncio.create_task(api.say(await api.user(), "Hello!"))
    await text_reply.called.wait()
    assert await recover(pool, settings) == 0
    go_on.set()
    assert (await call).json["status"] == "accepted"


async def test_two_workers_take_each_call_once(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    lost = await orphans(api, text_reply, pool, *"abcde")
    taken = await asyncio.gather(*(recover(pool, settings) for _ in range(4)))
    assert sum(taken) == 5
    assert len(text_reply.calls) == 2 * 5
    assert {answer.json["status"] for answer in await lost.answers()} == {"accepted"}


def test_a_lease_outlasts_the_deadline() -> None:
    with pytest.raises(ValidationError, match="at least 10 s more than call_deadline_seconds"):
        settings_for("postgresql://x", "redis://x", call_deadline_seconds=6, call_lease_seconds=15)


async def test_who_was_only_slow_hears_that_another_attempt_runs(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    go_on, second_go_on = asyncio.Event(), asyncio.Event()

    async def slow(body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
        await (go_on if len(text_reply.calls) == 1 else second_go_on).wait()
        return web.json_response({"text": "done", "trace_id": body["trace_id"]})

    text_reply.reply = slow
    first = asyncio.create_task(api.say(await api.user(), "Hello!"))
    await text_reply.called.wait()
    await lose_the_instance(pool)
    text_reply.called.clear()
    recovering = asyncio.create_task(recover(pool, settings))
    await text_reply.called.wait()
    go_on.set()
    answer = await first
    assert (answer.status, answer.json["code"]) == (409, "message_in_flight")
    assert int(answer.headers["Retry-After"]) >= 1
    second_go_on.set()
    assert await recovering == 1
    assert await statuses(pool) == [("succeeded", 2)]


async def test_a_call_that_cannot_be_read_leaves_the_others_and_the_worker_alone(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    lost = await orphans(api, text_reply, pool, "broken", "whole")
    broken = "WHERE message_id = 'broken'"
    await pool.execute(f"UPDATE plugin_calls SET request_payload = '{{}}' {broken}")
    async with worker(pool, settings) as task:
        await until(lambda: contains(pool, ("succeeded", 2)))
        assert not task.done()
    # Tried once, and again when its lease ends: not in a circle.
    assert await pool.fetchval(f"SELECT attempt FROM plugin_calls {broken}") == 2
    assert await pool.fetchval(f"SELECT lease_until > now() FROM plugin_calls {broken}")
    await lost.answers()


async def test_a_disabled_plugin_is_not_called_again(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    lost = await orphans(api, text_reply, pool, "secret")
    await pool.execute("UPDATE plugins SET status = 'disabled'")
    assert await recover(pool, settings) == 1
    assert len(text_reply.calls) == 1
    call = await pool.fetchrow("SELECT status, error_code FROM plugin_calls")
    assert tuple(call) == ("rejected", "plugin_unavailable")
    (answer,) = await lost.answers()
    assert (answer.json["status"], answer.json["error"]["code"]) == ("failed", "plugin_unavailable")
    events = "SELECT count(*) FROM audit_logs WHERE action = 'plugin_failed'"
    assert await pool.fetchval(events) == 1


async def test_one_plugin_that_hangs_does_not_hold_the_calls_of_others(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, database: str, valkey: str
) -> None:
    settings = settings_for(database, valkey, queue_poll_seconds=0.05)
    lost = await orphans(api, text_reply, pool, "hangs")
    text_reply.reply, good = hang, text_reply.reply
    async with worker(pool, settings):
        await called(text_reply, 2)
        text_reply.reply = good
        later = await orphans(api, text_reply, pool, "later")
        await until(lambda: contains(pool, ("succeeded", 2)))
    await lost.answers()
    await later.answers()


async def test_a_worker_that_stops_gives_its_calls_back(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    lost = await orphans(api, text_reply, pool, "hangs")
    text_reply.reply, good = hang, text_reply.reply
    async with worker(pool, settings):
        await called(text_reply, 2)
    text_reply.reply = good
    assert await recover(pool, settings) == 1
    assert len({call["invocation_id"] for call in text_reply.calls}) == 1
    assert await statuses(pool) == [("succeeded", 3)]
    await lost.answers()


async def test_a_claim_waits_for_nobody(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    """Another worker that claims holds its rows only; these are passed over."""
    lost = await orphans(api, text_reply, pool, "one", "two")
    async with pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM plugin_calls WHERE message_id = 'one' FOR UPDATE")
        async with asyncio.timeout(PATIENT_SECONDS):
            assert await recover(pool, settings) == 1
    assert await recover(pool, settings) == 1
    await lost.answers()
