"""Reading a dialog: pages, cursors, and a history that moves nothing."""

from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from impl.tokens.issue import issue
from tests.stack import Api, ScriptedPlugin


async def pages(api: Api, dialog: object, limit: int) -> list[list[dict[str, Any]]]:
    found, query = [], {"limit": str(limit)}
    while True:
        answer = await api.bot("GET", f"/api/v1/dialogs/{dialog}", params=query)
        assert answer.status == 200, answer.raw
        found.append(answer.json["messages"])
        if answer.json["next_cursor"] is None:
            return found
        query["cursor"] = answer.json["next_cursor"]


async def test_the_history_comes_newest_page_first_each_in_the_order_of_writing(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    user, dialog = await api.user(), uuid4()
    for number in range(5):
        await api.say(user, f"{number}", dialog, message_id=f"m-{number}")
    found = await pages(api, dialog, limit=3)
    assert [len(page) for page in found] == [3, 3, 3, 1]
    texts = [item["payload"]["text"] for page in reversed(found) for item in page]
    assert texts == [text for n in range(5) for text in (f"{n}", f"echo: {n}")]
    assert [item["message_id"] for item in found[0]] == [None, "m-4", None]


async def test_a_message_that_arrives_meanwhile_moves_nothing(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    user, dialog = await api.user(), uuid4()
    for number in range(3):
        await api.say(user, f"{number}", dialog)
    path = f"/api/v1/dialogs/{dialog}"
    first = await api.bot("GET", path, params={"limit": "2"})
    await api.say(user, "new", dialog)
    second = await api.bot("GET", path, params={"limit": "2", "cursor": first.json["next_cursor"]})
    assert [item["payload"]["text"] for item in second.json["messages"]] == ["1", "echo: 1"]


async def test_a_page_that_ends_exactly_has_no_next(api: Api, text_reply: ScriptedPlugin) -> None:
    user, dialog = await api.user(), uuid4()
    await api.say(user, "one", dialog)
    answer = await api.bot("GET", f"/api/v1/dialogs/{dialog}", params={"limit": "2"})
    assert answer.json["next_cursor"] is None
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["dialog"]["user_id"] == user


@pytest.mark.parametrize("cursor", ["AAAA", "x" * 256, "-_-_", "0"])
async def test_a_forged_cursor_is_refused(
    cursor: str, api: Api, text_reply: ScriptedPlugin
) -> None:
    dialog = uuid4()
    await api.say(await api.user(), "one", dialog)
    answer = await api.bot("GET", f"/api/v1/dialogs/{dialog}", params={"cursor": cursor})
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    assert answer.json["errors"][0]["pointer"] == "/cursor"


async def test_a_cursor_of_another_dialog_is_refused(api: Api, text_reply: ScriptedPlugin) -> None:
    user, one, other = await api.user(), uuid4(), uuid4()
    for dialog in (one, other):
        await api.say(user, "x", dialog)
    page = await api.bot("GET", f"/api/v1/dialogs/{one}", params={"limit": "1"})
    query = {"cursor": page.json["next_cursor"]}
    answer = await api.bot("GET", f"/api/v1/dialogs/{other}", params=query)
    assert answer.status == 422


async def test_a_cursor_is_of_the_bot_that_read_the_page(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    """A dialog that changed hands is not paged on with its former owner's cursor."""
    dialog = uuid4()
    await api.say(await api.user(), "x", dialog)
    path = f"/api/v1/dialogs/{dialog}"
    page = await api.bot("GET", path, params={"limit": "1"})
    query = {"cursor": page.json["next_cursor"]}
    assert (await api.bot("GET", path, params=query)).status == 200
    other = await pool.fetchval("INSERT INTO bots (name) VALUES ('other') RETURNING id")
    token = await issue(pool, "bot", subject_id=other, scopes=["dialogs:read"])
    await pool.execute("UPDATE dialogs SET bot_id = $1", other)
    headers = {"X-Bot-Token": token.plaintext}
    answer = await api.send("GET", path, params=query, headers=headers)
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "cursor_invalid")


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"page": "2"}])
async def test_a_wrong_parameter_is_pointed_at(query: dict[str, str], api: Api) -> None:
    answer = await api.bot("GET", f"/api/v1/dialogs/{uuid4()}", params=query)
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    (fault,) = answer.json["errors"]
    assert (fault["location"], fault["pointer"]) == ("query", f"/{next(iter(query))}")
