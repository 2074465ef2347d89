"""What became of a message, read at the address that its sending returned."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from impl.tokens.issue import issue
from tests.stack import Api, Gate, ScriptedPlugin

NOWHERE = "3d0c1f6e-1d7c-4a5e-b7e3-0a1b2c3d4e5f"


@pytest.mark.parametrize("message_id", ["m-1", "~", "...", "..a", "-", "_.~-" * 32, None])
async def test_the_location_of_a_message_holds_its_answer_byte_for_byte(
    api: Api, text_reply: ScriptedPlugin, message_id: str | None
) -> None:
    sent = await api.say(await api.user(), "Hello!", message_id=message_id)
    assert sent.status == 200, sent.raw
    found = await api.bot("GET", sent.headers["Location"])
    assert (found.status, found.raw) == (200, sent.raw)
    assert found.headers["Cache-Control"] == "no-store"
    assert found.headers["X-Trace-Id"] != found.json["trace_id"]


@pytest.mark.parametrize("message_id", [".", ".."])
async def test_an_id_that_no_address_can_hold_is_refused(
    api: Api, text_reply: ScriptedPlugin, message_id: str
) -> None:
    sent = await api.say(await api.user(), "Hello!", message_id=message_id)
    assert (sent.status, sent.json["errors"][0]["pointer"]) == (422, "/message_id")


async def test_a_failed_message_is_read_as_it_failed(api: Api) -> None:
    sent = await api.say(await api.user(), "Anybody?")
    found = await api.bot("GET", sent.headers["Location"])
    assert found.raw == sent.raw
    assert found.json["status"] == "failed"


async def test_it_is_queued_until_its_answer_is_there(api: Api, text_reply: ScriptedPlugin) -> None:
    user, dialog, gate = await api.user(), uuid4(), Gate()
    text_reply.reply = gate.reply
    path, sent_under = f"/api/v1/dialogs/{dialog}/messages/m-1", str(uuid4())
    body = {"user_id": user, "message_id": "m-1", "payload": {"type": "text", "text": "Hello!"}}
    headers = {"X-Trace-Id": sent_under}
    sending = asyncio.create_task(
        api.bot("POST", path.removesuffix("/m-1"), json=body, headers=headers)
    )
    await text_reply.called.wait()
    meanwhile = await api.bot("GET", path)
    assert (meanwhile.status, meanwhile.json) == (
        200,
        {
            "dialog_id": str(dialog),
            "trace_id": sent_under,
            "plugin_responses": [],
            "usage": None,
            "status": "queued",
            "error": None,
        },
    )
    reset = {"user_id": user}
    await api.bot("POST", f"/api/v1/dialogs/{dialog}/reset", json=reset)
    assert (await api.bot("GET", path)).raw == meanwhile.raw
    gate.go_on.set()
    assert (await api.bot("GET", path)).status == 200
    assert (await sending).raw == (await api.bot("GET", path)).raw


async def test_another_bots_message_is_as_absent_as_none(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, dialog = await api.user(), uuid4()
    sent = await api.say(user, "Hello!", dialog, message_id="m-1")
    other = await pool.fetchval("INSERT INTO bots (name) VALUES ('other') RETURNING id")
    token = await issue(pool, "bot", subject_id=other, scopes=["dialogs:read"])
    headers = {"X-Bot-Token": token.plaintext}
    answers = [
        await api.send("GET", sent.headers["Location"], headers=headers),
        await api.bot("GET", f"/api/v1/dialogs/{dialog}/messages/m-2"),
        await api.bot("GET", f"/api/v1/dialogs/{uuid4()}/messages/m-1"),
    ]
    assert {answer.status for answer in answers} == {404}
    assert {answer.json["code"] for answer in answers} == {"message_not_found"}
    assert len({answer.json["detail"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("path", "pointer"),
    [("x/messages/m-1", "/dialog_id"), (f"{NOWHERE}/messages/a b", "/message_id"),
     (f"{NOWHERE}/messages/{'m' * 129}", "/message_id"),
     (f"{NOWHERE}/messages/m-1?more=1", "/more")],
)  # fmt: skip
async def test_a_wrong_value_is_pointed_at(api: Api, path: str, pointer: str) -> None:
    answer = await api.bot("GET", f"/api/v1/dialogs/{path}")
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


async def test_it_takes_the_scope_to_read(api: Api, pool: asyncpg.Pool) -> None:
    token = await issue(pool, "bot", subject_id=api.bot_id, scopes=["dialogs:write"])
    path = f"/api/v1/dialogs/{uuid4()}/messages/m-1"
    answer = await api.send("GET", path, headers={"X-Bot-Token": token.plaintext})
    assert (answer.status, answer.json["code"]) == (403, "insufficient_scope")
