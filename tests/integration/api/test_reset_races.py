"""A reset against everything that writes to its dialog at the same time."""

import asyncio
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import pytest
from redis.asyncio import Redis

from generated import models
from generated.metrics import make_metrics
from impl.dialogs import service
from impl.dialogs.message import Message
from impl.dialogs.queries import intake
from impl.dialogs.queries import reset as queries
from impl.dialogs.queries.reset import Reset
from impl.events.relay import Relay
from impl.redis import relay_client
from impl.settings import Settings
from tests.integration.api.queued import lose_the_instance, recover
from tests.integration.api.test_reset import BLANK, history, reset
from tests.patience import PATIENT_SECONDS
from tests.stack import Api, Gate, ScriptedPlugin

WAITS = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted) FROM pg_sleep(0.01)"


async def until_somebody_waits_for_a_lock(pool: asyncpg.Pool) -> None:
    async with asyncio.timeout(PATIENT_SECONDS):
        while not await pool.fetchval(WAITS):
            pass


def message_of(api: Api, dialog: UUID, user: str) -> Message:
    return Message(
        bot_id=api.bot_id,
        dialog_id=dialog,
        user_id=UUID(user),
        message_id="m-1",
        trace_id=uuid4(),
        payload=models.TextPayloadV1(type="text", text="Hello!"),
        content=b'{"type": "text", "text": "Hello!", "attachments": []}',
        metadata={},
        fingerprint=b"f" * 32,
    )


async def test_a_message_that_was_taken_in_while_it_waited_is_forgotten_too(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    """Its own statement is older than the message; what it deletes must not be."""
    user, dialog = await api.user(), uuid4()
    await api.say(user, "before", dialog)
    plugin_id = await pool.fetchval("SELECT id FROM plugins")
    call = intake.Call(plugin_id, uuid4(), {"secret": 1}, {}, lease_seconds=30, worth_seconds=8)
    async with pool.acquire() as other, other.transaction():
        await intake.take_in(other, message_of(api, dialog, user), call)
        resetting = asyncio.create_task(reset(api, dialog, user))
        await until_somebody_waits_for_a_lock(pool)
    assert (await resetting).status == 200
    assert (await history(api, dialog))["messages"] == []
    assert await pool.fetchval(BLANK)


async def test_an_outcome_that_waits_for_it_is_not_remembered(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, dialog, gate = await api.user(), uuid4(), Gate()
    text_reply.reply = gate.reply
    first = asyncio.create_task(api.say(user, "Hello!", dialog))
    await text_reply.called.wait()
    same = Reset(uuid4(), api.bot_id, dialog, UUID(user), "user_requested", str(uuid4()))
    async with pool.acquire() as other, other.transaction():
        await queries.raise_version(other, same)
        await queries.forget(other, same)
        gate.go_on.set()
        await until_somebody_waits_for_a_lock(pool)
    assert (await first).json["status"] == "accepted"
    assert (await history(api, dialog))["messages"] == []
    assert await pool.fetchval(BLANK)


async def test_a_message_that_was_read_before_it_does_not_tell_the_plugin_what_was_said(
    api: Api, text_reply: ScriptedPlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, dialog, real = await api.user(), uuid4(), intake.read_for_message
    await api.say(user, "my secret", dialog)

    async def then_reset(*values: Any) -> Any:
        known = await real(*values)
        assert "my secret" in known.history
        await reset(api, dialog, user)
        return known

    monkeypatch.setattr(service, "read_for_message", then_reset)
    await api.say(user, "after", dialog)
    assert text_reply.calls[-1]["context"]["messages"] == []


async def test_a_call_whose_instance_died_is_rejected_and_not_made_again(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    user, dialog, gate = await api.user(), uuid4(), Gate()
    good, text_reply.reply = text_reply.reply, gate.reply
    lost = asyncio.create_task(api.say(user, "Hello!", dialog, message_id="m-1"))
    await text_reply.called.wait()
    assert (await reset(api, dialog, user)).status == 200
    await lose_the_instance(pool)
    text_reply.reply = good
    assert await recover(pool, settings) == 1
    assert len(text_reply.calls) == 1
    call = await pool.fetchrow("SELECT status, error_code FROM plugin_calls")
    assert tuple(call) == ("rejected", "dialog_reset")
    found = await api.bot("GET", f"/api/v1/dialogs/{dialog}/messages/m-1")
    assert found.json["error"]["code"] == "dialog_reset"
    gate.go_on.set()
    assert (await lost).raw == found.raw
    assert await recover(pool, settings) == 0


async def test_it_takes_the_dialogs_lock_before_any_other(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    """The other order deadlocks with messages and outcomes, which hold the dialog first."""
    user, dialog = await api.user(), uuid4()
    await api.say(user, "Hello!", dialog)
    await pool.execute("UPDATE plugin_calls SET status = 'queued'")
    async with pool.acquire() as holder, holder.transaction():
        await holder.execute("SELECT FROM dialogs WHERE id = $1 FOR NO KEY UPDATE", dialog)
        resetting = asyncio.create_task(reset(api, dialog, user))
        await until_somebody_waits_for_a_lock(pool)
        for table in ("messages", "message_keys", "plugin_calls"):
            await holder.execute(f"SELECT FROM {table} FOR UPDATE NOWAIT")
    assert (await resetting).status == 200


async def test_many_messages_and_resets_at_once_leave_whole_messages_or_none(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, dialog = await api.user(), uuid4()
    await api.say(user, "first", dialog)
    ids = [f"m-{number % 25}" for number in range(50)]
    answers = await asyncio.gather(
        *(
            work
            for number, message_id in enumerate(ids)
            for work in (
                api.say(user, message_id, dialog, message_id=message_id),
                *([reset(api, dialog, user)] if number % 5 == 0 else []),
            )
        )
    )
    assert {answer.status for answer in answers} <= {200, 409}
    resets = [answer for answer in answers if answer.json.get("plugin_responses") == []]
    assert len(resets) == 10
    assert await pool.fetchval("SELECT count(*) FROM plugin_calls") == 26
    # Of each call that a reset overtook, nothing is left; of all others, everything.
    left = await pool.fetch(
        "SELECT call.reset_version = dialogs.reset_version AS current,"
        " request_payload <> '{}' AS kept, response_payload IS NOT NULL AS answered,"
        " count(messages.id) AS said FROM plugin_calls AS call JOIN dialogs"
        " ON dialogs.id = call.dialog_id LEFT JOIN messages USING (dialog_id, trace_id)"
        " GROUP BY call.id, dialogs.id"
    )
    assert {tuple(row) for row in left} <= {(True, True, True, 2), (False, False, False, 0)}
    await reset(api, dialog, user)
    found = await history(api, dialog)
    assert (found["messages"], found["dialog"]["reset_version"]) == ([], 11)
    assert await pool.fetchval(BLANK)


async def state_of(redis: Redis, dialog: object) -> dict[str, str]:
    # The client decodes; its types do not know.
    return cast("dict[str, str]", await redis.hgetall(f"dialog:state:{dialog}"))


async def test_the_relay_clears_the_dialogs_state_and_nothing_older_brings_it_back(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    redis = relay_client(settings)
    await redis.flushall()
    relay = Relay(pool, redis, 100, 0.01, make_metrics())
    user, dialog, other = await api.user(), uuid4(), uuid4()
    for one in (dialog, other):
        await api.say(user, "Hello!", one)
    await relay.drain_once()
    assert await state_of(redis, dialog)
    # Its call is published after the reset: `dialog:events` comes first, by name.
    await api.say(user, "Hello again!", dialog)
    await reset(api, dialog, user)
    await relay.drain_once()
    assert await state_of(redis, dialog) == {}
    assert await state_of(redis, other)
    await api.say(user, "A new start", dialog)
    await relay.drain_once()
    assert await state_of(redis, dialog)
    await redis.aclose()


async def test_the_state_stays_cleared_where_a_late_answer_is_published(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    redis = relay_client(settings)
    relay = Relay(pool, redis, 100, 0.01, make_metrics())
    user, dialog, gate = await api.user(), uuid4(), Gate()
    text_reply.reply = gate.reply
    first = asyncio.create_task(api.say(user, "Hello!", dialog))
    await text_reply.called.wait()
    await relay.drain_once()
    await reset(api, dialog, user)
    gate.go_on.set()
    await first
    await relay.drain_once()
    assert await state_of(redis, dialog) == {}
    await redis.aclose()
