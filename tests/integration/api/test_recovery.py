"""A call whose instance died ends all the same, once, under the same invocation_id."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
from aiohttp import web

from impl.dialogs.delivery import Delivery
from impl.dialogs.recovery import Recovery
from impl.plugins.caller import PluginCaller
from impl.settings import Settings
from tests.stack import Api, ScriptedPlugin


async def lose_the_instance(pool: asyncpg.Pool) -> None:
    """What a kill -9 leaves behind: a call in progress whose lease nobody renews."""
    await pool.execute("UPDATE plugin_calls SET lease_until = now() - interval '1 second'")


async def recover(pool: asyncpg.Pool, settings: Settings) -> int:
    caller = PluginCaller(settings)
    try:
        return await Recovery(pool, Delivery(pool, caller), settings).recover_once()
    finally:
        await caller.close()


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
    statuses = await pool.fetch("SELECT status, attempt FROM plugin_calls ORDER BY created_at")
    assert [tuple(row) for row in statuses] == [("succeeded", 1), ("succeeded", 2)]
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
    async def dead(_body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    good, text_reply.reply = text_reply.reply, dead
    user = await api.user()
    lost = [asyncio.create_task(api.say(user, "Hello!")) for _ in range(5)]
    while len(text_reply.calls) < len(lost):
        text_reply.called.clear()
        await text_reply.called.wait()
    await lose_the_instance(pool)
    text_reply.reply = good
    taken = await asyncio.gather(*(recover(pool, settings) for _ in range(4)))
    assert sum(taken) == len(lost)
    assert len(text_reply.calls) == 2 * len(lost)
    answers = await asyncio.gather(*lost)
    assert {answer.json["status"] for answer in answers} == {"accepted"}
