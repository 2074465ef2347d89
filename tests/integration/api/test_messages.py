"""A message's way, over real sockets: answered, replayed, refused, recovered."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiohttp import web

from generated import models
from generated.metrics import make_metrics
from impl.db import Executor
from impl.dialogs.call import StoredCall
from impl.dialogs.delivery import Delivery, Patience
from impl.dialogs.message import Message, MessageKey
from impl.dialogs.queries import intake
from impl.plugins.caller import PluginCaller
from impl.plugins.catalogue import Catalogue
from impl.plugins.slots import Slots
from impl.settings import Settings
from tests.patience import PATIENT_SECONDS
from tests.stack import Api, Gate, ScriptedPlugin


async def test_a_message_is_answered_and_every_step_is_stored(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, dialog = await api.user(), uuid4()
    answer = await api.say(user, "Hello!", dialog, message_id="m-1")
    assert answer.status == 200, answer.raw
    assert answer.json["status"] == "accepted"
    assert answer.json["plugin_responses"][0]["content"] == "echo: Hello!"
    assert answer.headers["Location"] == f"/api/v1/dialogs/{dialog}/messages/m-1"
    assert answer.headers["X-Trace-Id"] == answer.json["trace_id"]
    assert "Idempotency-Replayed" not in answer.headers

    call = await pool.fetchrow("SELECT * FROM plugin_calls")
    assert (call["status"], call["error_code"], call["attempt"]) == ("succeeded", None, 1)
    assert call["routing"]["stage"] == "fallback"
    assert call["lease_until"] is None
    senders = await pool.fetch("SELECT sender_type FROM messages ORDER BY seq")
    assert [row["sender_type"] for row in senders] == ["user", "plugin"]
    expected = ["plugin_invocation_started", "plugin_invocation_completed"]
    for table, column in (("audit_logs", "action"), ("plugin_events", "event_type")):
        rows = await pool.fetch(
            f"SELECT {column} AS name FROM {table} WHERE {column} LIKE 'plugin_invocation%'"
        )
        assert sorted(row["name"] for row in rows) == sorted(expected)
    newest = "SELECT max(created_at) FROM messages"
    assert await pool.fetchval(f"SELECT last_message_at = ({newest}) FROM dialogs")


async def test_the_plugin_is_told_what_the_contract_says(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    user, dialog = await api.user(locale="ru"), uuid4()
    await api.say(user, "one", dialog)
    await api.say(user, "two", dialog, metadata={"source": "telegram"})
    body, headers = text_reply.calls[1], text_reply.headers[1]
    assert [item["payload"]["text"] for item in body["context"]["messages"]] == ["one", "echo: one"]
    assert body["context"]["locale"] == "ru"
    assert body["context"]["metadata"] == {"source": "telegram"}
    assert body["intent"] is None
    assert headers["X-Invocation-Id"] == body["invocation_id"]
    assert headers["X-Trace-Id"] == body["trace_id"]
    assert headers["Authorization"].startswith("Bearer bc_invoke_")


async def test_a_repeated_message_gets_the_stored_answer_byte_for_byte(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    user, dialog = await api.user(), uuid4()
    first = await api.say(user, "Hello!", dialog, message_id="m-1")
    again = await api.say(user, "Hello!", dialog, message_id="m-1")
    assert again.status == 200
    assert again.raw == first.raw
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["X-Trace-Id"] != first.headers["X-Trace-Id"]
    assert len(text_reply.calls) == 1


async def test_a_message_id_serves_one_message_only(api: Api, text_reply: ScriptedPlugin) -> None:
    user, dialog = await api.user(), uuid4()
    await api.say(user, "Hello!", dialog, message_id="m-1")
    other = await api.say(user, "Something else", dialog, message_id="m-1")
    assert (other.status, other.json["code"]) == (422, "message_id_reused")
    assert len(text_reply.calls) == 1


async def test_a_message_in_flight_is_409_until_it_is_answered(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    user, dialog, go_on = await api.user(), uuid4(), asyncio.Event()

    async def slow(body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
        await go_on.wait()
        return web.json_response({"text": "late", "trace_id": body["trace_id"]})

    text_reply.reply = slow
    first = asyncio.create_task(api.say(user, "Hello!", dialog, message_id="m-1"))
    await text_reply.called.wait()
    meanwhile = await api.say(user, "Hello!", dialog, message_id="m-1")
    assert (meanwhile.status, meanwhile.json["code"]) == (409, "message_in_flight")
    assert meanwhile.headers["Retry-After"] == "1"
    go_on.set()
    assert (await first).json["plugin_responses"][0]["content"] == "late"
    assert len(text_reply.calls) == 1


async def test_of_fifty_at_once_one_does_the_work(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, dialog = await api.user(), uuid4()
    answers = await asyncio.gather(
        *(api.say(user, "Hello!", dialog, message_id="m-1") for _ in range(50))
    )
    assert {answer.status for answer in answers} <= {200, 409}
    assert len({answer.raw for answer in answers if answer.status == 200}) == 1
    assert len(text_reply.calls) == 1
    assert await pool.fetchval("SELECT count(*) FROM plugin_calls") == 1
    assert await pool.fetchval("SELECT count(*) FROM messages WHERE sender_type = 'user'") == 1


async def test_without_a_plugin_the_message_is_stored_and_says_so(
    api: Api, pool: asyncpg.Pool
) -> None:
    user, dialog = await api.user(), uuid4()
    first = await api.say(user, "Anybody?", dialog, message_id="m-1")
    assert (first.status, first.json["status"]) == (200, "failed")
    assert first.json["error"]["code"] == "no_plugin_available"
    again = await api.say(user, "Anybody?", dialog, message_id="m-1")
    assert again.raw == first.raw
    assert await pool.fetchval("SELECT count(*) FROM messages") == 1


async def test_another_bots_dialog_is_as_absent_as_none(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    other = await pool.fetchval("INSERT INTO bots (name) VALUES ('other') RETURNING id")
    user, dialog = await api.user(), uuid4()
    await pool.execute(
        "INSERT INTO dialogs (id, bot_id, user_id) VALUES ($1, $2, $3)", dialog, other, UUID(user)
    )
    foreign = await api.say(user, "Hello!", dialog)
    read = await api.bot("GET", f"/api/v1/dialogs/{dialog}")
    absent = await api.bot("GET", f"/api/v1/dialogs/{uuid4()}")
    assert (foreign.status, foreign.json["code"]) == (404, "dialog_not_found")
    assert (read.status, read.json["code"]) == (absent.status, absent.json["code"])
    assert read.status == 404
    assert await pool.fetchval("SELECT count(*) FROM messages") == 0
    assert text_reply.calls == []


async def test_a_user_that_the_bot_did_not_register_is_404(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    answer = await api.say(str(uuid4()), "Hello!")
    assert (answer.status, answer.json["code"]) == (404, "user_not_found")
    assert await pool.fetchval("SELECT count(*) FROM dialogs") == 0


async def test_ids_that_disagree_are_pointed_at(api: Api, text_reply: ScriptedPlugin) -> None:
    user, second, dialog = await api.user(1), await api.user(2), uuid4()
    other = await api.say(user, "Hello!", dialog, dialog_id=str(uuid4()))
    await api.say(user, "Hello!", dialog)
    foreign = await api.say(second, "Hello!", dialog)
    for answer, pointer in ((other, "/dialog_id"), (foreign, "/user_id")):
        assert (answer.status, answer.json["code"]) == (422, "validation_failed")
        assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


async def test_the_bodys_trace_serves_where_the_header_names_none(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    user, in_body, in_header = await api.user(), str(uuid4()), str(uuid4())
    body = {"user_id": user, "trace_id": in_body, "payload": {"type": "text", "text": "x"}}
    path = f"/api/v1/dialogs/{uuid4()}/messages"
    plain = await api.bot("POST", path, json=body)
    named = await api.bot("POST", path, json=body, headers={"X-Trace-Id": in_header})
    assert plain.headers["X-Trace-Id"] == plain.json["trace_id"] == in_body
    assert named.headers["X-Trace-Id"] == named.json["trace_id"] == in_header


async def test_an_outcome_takes_the_dialogs_lock_before_the_keys(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    """The other order deadlocks with a repeated message, which holds the dialog first."""
    user, dialog, go_on = await api.user(), uuid4(), asyncio.Event()

    async def slow(body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
        await go_on.wait()
        return web.json_response({"text": "done", "trace_id": body["trace_id"]})

    text_reply.reply = slow
    first = asyncio.create_task(api.say(user, "Hello!", dialog, message_id="m-1"))
    await text_reply.called.wait()
    async with pool.acquire() as holder, holder.transaction():
        await holder.execute("SELECT FROM dialogs WHERE id = $1 FOR NO KEY UPDATE", dialog)
        go_on.set()
        waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted) FROM pg_sleep(0.01)"
        while not await pool.fetchval(waits):
            pass
        await holder.execute("SELECT FROM message_keys FOR UPDATE NOWAIT")
    assert (await first).json["status"] == "accepted"


async def test_a_caller_that_gives_up_loses_no_answer_of_the_plugin(
    pool: asyncpg.Pool, settings: Settings, api: Api, text_reply: ScriptedPlugin
) -> None:
    """Between the plugin's answer and its commit nobody may be stopped."""
    user, dialog, gate = await api.user(), uuid4(), Gate()
    text_reply.reply = gate.reply
    lost = asyncio.create_task(api.say(user, "Hello!", dialog, message_id="m-1"))
    await text_reply.called.wait()
    row = await pool.fetchrow("SELECT * FROM plugin_calls")
    call = StoredCall(
        key=MessageKey(api.bot_id, dialog, "m-1"),
        plugin_id=row["plugin_id"],
        base_url=text_reply.url,
        invocation_id=row["invocation_id"],
        trace_id=row["trace_id"],
        attempt=1,
        request=b'{"payload": {"type": "text"}, "trace_id": "%s"}' % str(row["trace_id"]).encode(),
    )
    gate.go_on.set()
    await lost
    await pool.execute(
        "UPDATE plugin_calls SET status = 'in_progress', finished_at = NULL, lease_until = now()"
    )
    metrics, slots = make_metrics(), Slots(1)
    caller = PluginCaller(settings, metrics)
    slot = slots.reserve(call.plugin_id)
    assert slot is not None
    async with pool.acquire() as holder, holder.transaction():
        await holder.execute("SELECT FROM dialogs WHERE id = $1 FOR NO KEY UPDATE", dialog)
        until = asyncio.get_running_loop().time() + 5
        delivery = Delivery(pool, caller, Catalogue(pool, "text_reply"), slots, metrics)
        delivering = asyncio.create_task(
            delivery.deliver(call, slot, until, Patience(lambda *_: None))
        )
        waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted) FROM pg_sleep(0.01)"
        while not await pool.fetchval(waits):
            pass
        delivering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivering
    await caller.close()
    async with asyncio.timeout(PATIENT_SECONDS):
        while await pool.fetchval("SELECT status FROM plugin_calls, pg_sleep(0.01)") != "succeeded":
            pass


async def test_a_key_is_read_by_its_bot_only(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    dialog = uuid4()
    await api.say(await api.user(), "Hello!", dialog, message_id="m-1")
    own = await intake.read_key(pool, MessageKey(api.bot_id, dialog, "m-1"))
    assert own is not None
    assert own.owner == api.bot_id
    assert not await intake.read_key(pool, MessageKey(uuid4(), dialog, "m-1"))


@pytest.mark.parametrize("foreign", ["bot", "user"])
@pytest.mark.parametrize("statement", ["take_in", "store_unanswered"])
async def test_a_dialog_that_became_anothers_since_it_was_read_takes_nothing_in(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, statement: str, foreign: str
) -> None:
    """The read said that there is no such dialog: the statement itself must see whose it is."""
    user, second, dialog = UUID(await api.user(1)), UUID(await api.user(2)), uuid4()
    bot = api.bot_id
    if foreign == "bot":
        bot = await pool.fetchval("INSERT INTO bots (name) VALUES ('other') RETURNING id")
    owner = second if foreign == "user" else user
    await pool.execute(
        "INSERT INTO dialogs (id, bot_id, user_id) VALUES ($1, $2, $3)", dialog, bot, owner
    )
    key = MessageKey(api.bot_id, dialog, "m-1")
    done = await take_in(pool, statement, key, user)
    assert (done.owner, done.stored) == (None, False)
    assert await pool.fetchval("SELECT count(*) FROM messages") == 0
    assert await pool.fetchval("SELECT count(*) FROM message_keys") == 0


@pytest.mark.parametrize("statement", ["take_in", "store_unanswered"])
async def test_taking_a_message_in_changes_its_dialog_once(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, statement: str
) -> None:
    """The trigger that keeps `last_message_at` finds it kept: a second version of the row would
    cost each message a tenth of what the database does for it."""
    user, dialog = UUID(await api.user()), uuid4()
    changes = "SELECT pg_stat_get_xact_tuples_updated('dialogs'::regclass)"
    for number, changed in (("1", 0), ("2", 1)):  # the first one makes the dialog
        key = MessageKey(api.bot_id, dialog, number)
        async with pool.acquire() as connection, connection.transaction():
            done = await take_in(connection, statement, key, user)
            assert done.stored
            assert await connection.fetchval(changes) == changed
            assert await connection.fetchval("SELECT last_message_at = now() FROM dialogs")


async def take_in(
    executor: Executor, statement: str, key: MessageKey, user_id: UUID
) -> intake.Intake:
    message = Message(
        bot_id=key.bot_id,
        dialog_id=key.dialog_id,
        user_id=user_id,
        message_id=key.message_id,
        trace_id=uuid4(),
        payload=models.TextPayloadV1(type="text", text="Hello!"),
        content=b"{}",
        metadata={},
        fingerprint=b"f" * 32,
    )
    if statement == "store_unanswered":
        return await intake.store_unanswered(executor, message, uuid4(), b"{}", {})
    plugin_id = await executor.fetchval("SELECT id FROM plugins")
    call = intake.Call(plugin_id, uuid4(), {}, {}, lease_seconds=30, worth_seconds=8)
    return await intake.take_in(executor, message, call)
