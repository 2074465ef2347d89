"""A reset: what was said is gone, what is on its way is not remembered, answers outlive it."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from impl.dialogs.queries.reset import Reset
from impl.dialogs.reset import reset_dialog
from tests.stack import Answer, Api, Gate, ScriptedPlugin

BLANK = "SELECT bool_and(request_payload = '{}' AND response_payload IS NULL) FROM plugin_calls"


async def reset(api: Api, dialog: object, user: object, **more: Any) -> Answer:
    body = {"user_id": str(user), **more}
    return await api.bot("POST", f"/api/v1/dialogs/{dialog}/reset", json=body)


async def history(api: Api, dialog: object) -> Any:
    return (await api.bot("GET", f"/api/v1/dialogs/{dialog}")).json


async def test_nothing_of_what_was_said_is_left(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, dialog = await api.user(), uuid4()
    await api.say(user, "my secret", dialog, metadata={"note": "my secret"})
    done = await reset(api, dialog, user, dialog_id=str(dialog), reason="user_requested")
    assert done.status == 200, done.raw
    assert done.json == {
        "dialog_id": str(dialog),
        "trace_id": done.headers["X-Trace-Id"],
        "plugin_responses": [],
        "usage": None,
        "status": "accepted",
        "error": None,
    }
    found = await history(api, dialog)
    assert (found["messages"], found["dialog"]["reset_version"]) == ([], 1)
    assert await pool.fetchval(BLANK)
    # The key alone keeps the answer: what is sent again must be answered equally.
    for table in ("messages", "plugin_calls", "plugin_events", "audit_logs", "outbox"):
        rows = await pool.fetch(f"SELECT * FROM {table}")
        assert "secret" not in str([dict(row) for row in rows]), table


async def test_it_says_so_without_a_text(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, dialog = await api.user(), uuid4()
    await api.say(user, "Hello!", dialog)
    done = await reset(api, dialog, user, reason="new_topic")
    row = await pool.fetchrow("SELECT stream, body FROM outbox WHERE stream = 'dialog:events'"
                              " AND body->>'event_type' = 'dialog_reset'")  # fmt: skip
    assert row["body"]["payload"] == {
        "dialog_id": str(dialog),
        "user_id": user,
        "reason": "new_topic",
        "reset_version": 1,
    }
    assert row["body"]["trace_id"] == done.headers["X-Trace-Id"]
    audited = await pool.fetchrow("SELECT * FROM audit_logs WHERE action = 'dialog_reset'")
    assert str(audited["trace_id"]) == done.headers["X-Trace-Id"]
    assert audited["severity"] == "info"


async def test_a_message_that_is_sent_again_after_it_gets_its_stored_answer(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    user, dialog = await api.user(), uuid4()
    first = await api.say(user, "Hello!", dialog, message_id="m-1")
    await reset(api, dialog, user)
    again = await api.say(user, "Hello!", dialog, message_id="m-1")
    assert (again.status, again.raw) == (200, first.raw)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await api.bot("GET", first.headers["Location"])).raw == first.raw
    other = await api.say(user, "Another", dialog, message_id="m-1")
    assert (other.status, other.json["code"]) == (422, "message_id_reused")
    assert (await history(api, dialog))["messages"] == []


async def test_what_comes_after_it_knows_nothing_of_before(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    user, dialog = await api.user(), uuid4()
    await api.say(user, "before", dialog)
    await reset(api, dialog, user)
    await api.say(user, "after", dialog)
    assert text_reply.calls[-1]["context"]["messages"] == []
    found = await history(api, dialog)
    assert [item["payload"]["text"] for item in found["messages"]] == ["after", "echo: after"]


async def test_an_answer_that_comes_late_reaches_its_caller_and_nobody_else(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, dialog, gate = await api.user(), uuid4(), Gate()
    text_reply.reply = gate.reply
    first = asyncio.create_task(api.say(user, "Hello!", dialog, message_id="m-1"))
    await text_reply.called.wait()
    assert (await reset(api, dialog, user)).status == 200
    gate.go_on.set()
    answer = await first
    assert answer.json["plugin_responses"][0]["content"] == "late"
    assert await pool.fetchval("SELECT status FROM plugin_calls") == "succeeded"
    assert await pool.fetchval(BLANK)
    assert (await history(api, dialog))["messages"] == []
    assert (await api.say(user, "Hello!", dialog, message_id="m-1")).raw == answer.raw


async def test_calls_that_wait_are_rejected_and_their_messages_answered(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, dialog, gate = await api.user(), uuid4(), Gate()
    text_reply.reply = gate.reply
    waiting = asyncio.create_task(api.say(user, "Hello!", dialog, message_id="m-1"))
    await text_reply.called.wait()
    await pool.execute("UPDATE plugin_calls SET status = 'queued', lease_until = NULL")
    assert (await reset(api, dialog, user)).status == 200
    call = await pool.fetchrow("SELECT * FROM plugin_calls")
    assert (call["status"], call["error_code"]) == ("rejected", "dialog_reset")
    assert call["finished_at"] is not None
    found = await api.bot("GET", f"/api/v1/dialogs/{dialog}/messages/m-1")
    assert (found.json["status"], found.json["error"]["code"]) == ("failed", "dialog_reset")
    events = await pool.fetch("SELECT severity, source FROM plugin_events"
                              " WHERE event_type = 'plugin_failed'")  # fmt: skip
    assert [tuple(row) for row in events] == [("info", "core")]
    # Who still waits for the plugin's answer is told what was stored.
    gate.go_on.set()
    assert (await waiting).raw == found.raw


async def test_a_call_that_ended_stays_as_it_ended(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, dialog = await api.user(), uuid4()
    await api.say(user, "Hello!", dialog)
    before = await pool.fetchrow("SELECT status, finished_at, routing FROM plugin_calls")
    await reset(api, dialog, user)
    after = await pool.fetchrow("SELECT status, finished_at, routing FROM plugin_calls")
    assert tuple(after) == tuple(before)


async def test_other_dialogs_keep_everything(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, one, other = await api.user(), uuid4(), uuid4()
    for dialog in (one, other):
        await api.say(user, "Hello!", dialog)
    kept = await history(api, other)
    await reset(api, one, user)
    assert await history(api, other) == kept
    blank = f"{BLANK} WHERE dialog_id = $1"
    assert (await pool.fetchval(blank, one), await pool.fetchval(blank, other)) == (True, False)


async def test_it_may_be_repeated(api: Api, text_reply: ScriptedPlugin) -> None:
    user, dialog = await api.user(), uuid4()
    await api.say(user, "Hello!", dialog)
    answers = [await reset(api, dialog, user) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert (await history(api, dialog))["dialog"]["reset_version"] == 3


async def test_one_whose_commit_was_in_doubt_is_done_once(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, dialog = await api.user(), uuid4()
    await api.say(user, "before", dialog)
    same = Reset(uuid4(), api.bot_id, dialog, UUID(user), "user_requested", str(uuid4()))
    assert await reset_dialog(pool, same) == api.bot_id
    await api.say(user, "after", dialog)
    assert await reset_dialog(pool, same) == api.bot_id
    found = await history(api, dialog)
    assert found["dialog"]["reset_version"] == 1
    assert len(found["messages"]) == 2


async def test_another_bots_dialog_is_as_absent_as_none(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    other = await pool.fetchval("INSERT INTO bots (name) VALUES ('other') RETURNING id")
    user, dialog = await api.user(), uuid4()
    await api.say(user, "Hello!", dialog)
    await pool.execute("UPDATE dialogs SET bot_id = $1", other)
    foreign, absent = await reset(api, dialog, user), await reset(api, uuid4(), user)
    for answer in (foreign, absent):
        assert (answer.status, answer.json["code"]) == (404, "dialog_not_found")
    assert foreign.json["detail"] == absent.json["detail"]
    assert await pool.fetchval("SELECT count(*) FROM messages") == 2
    assert await pool.fetchval("SELECT reset_version FROM dialogs") == 0


async def test_only_the_dialogs_user_may_ask_for_it(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, second, dialog = await api.user(1), await api.user(2), uuid4()
    await api.say(user, "Hello!", dialog)
    another = await reset(api, dialog, second)
    assert (another.status, another.json["code"]) == (422, "validation_failed")
    assert [error["pointer"] for error in another.json["errors"]] == ["/user_id"]
    unknown = await reset(api, dialog, uuid4())
    assert (unknown.status, unknown.json["code"]) == (404, "user_not_found")
    assert await pool.fetchval("SELECT count(*) FROM messages") == 2


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"dialog_id": str(uuid4())}, "/dialog_id"),
        ({"dialog_id": "x"}, "/dialog_id"),
        ({"user_id": None}, "/user_id"),
        ({"user_id": 7}, "/user_id"),
        ({"reason": "Because I said my password, 1234"}, "/reason"),
        ({"reason": ""}, "/reason"),
        ({"reason": None}, "/reason"),
        ({"reason": "a" * 65}, "/reason"),
        ({"everything": True}, "/everything"),
    ],
)
async def test_a_wrong_value_is_pointed_at_and_nothing_is_done(
    api: Api, text_reply: ScriptedPlugin, change: dict[str, Any], pointer: str
) -> None:
    user, dialog = await api.user(), uuid4()
    await api.say(user, "Hello!", dialog)
    answer = await reset(api, dialog, change.pop("user_id", user), **change)
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert len((await history(api, dialog))["messages"]) == 2


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b'{"user_id": NaN}', "invalid_json"),
        (b'{"user_id": "\xff"}', "invalid_utf8"),
        (b'{"user_id": "a", "user_id": "b"}', "duplicate_key"),
        (b'{"user_id": "a", "user\\u005fid": "b"}', "duplicate_key"),
    ],
)
async def test_a_body_that_cannot_be_read_says_why(api: Api, raw: bytes, code: str) -> None:
    path, headers = f"/api/v1/dialogs/{uuid4()}/reset", {"Content-Type": "application/json"}
    answer = await api.bot("POST", path, data=raw, headers=headers)
    assert (answer.status, answer.json["code"]) == (400, code)
