"""The plugins that can be called, as another plugin sees them."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from impl.tokens.issue import issue
from tests.stack import Answer, Api, ScriptedPlugin, regex_intent

PATH = "/api/v1/plugins"


class Reader:
    """A plugin that may read the list."""

    def __init__(self, api: Api, plugin_id: UUID, token: str) -> None:
        self.api, self.plugin_id, self.token = api, plugin_id, token

    async def list(self, path: str = PATH, **query: str) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.api.send("GET", path, params=query, headers=headers)


async def reader_of(api: Api, pool: asyncpg.Pool, plugin_id: str, *scopes: str) -> Reader:
    token = await issue(pool, "plugin", subject_id=UUID(plugin_id), scopes=scopes)
    return Reader(api, UUID(plugin_id), token.plaintext)


@pytest_asyncio.fixture
async def reader(api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool) -> Reader:
    done = await api.add_plugin(
        plugin.url, "reader", regex_intent("b", "b"), regex_intent("a", "a")
    )
    return await reader_of(api, pool, done["plugin_id"], "plugins:read")


async def test_a_plugin_is_summed_up(reader: Reader, pool: asyncpg.Pool) -> None:
    answer = await reader.list()
    assert answer.status == 200, answer.raw
    assert answer.json == {
        "items": [
            {
                "plugin_id": str(reader.plugin_id),
                "name": "reader",
                "version": "1.0.0",
                "intents": ["b", "a"],
                "status": "active",
                "last_heartbeat": None,
            }
        ],
        "next_cursor": None,
    }
    assert answer.headers["Cache-Control"] == "no-store"
    await pool.execute("UPDATE plugins SET last_heartbeat = '2026-11-22T10:15:30.5Z'")
    (found,) = (await reader.list()).json["items"]
    assert found["last_heartbeat"] == "2026-11-22T10:15:30.500000Z"


async def test_only_those_are_listed_that_can_be_called(
    reader: Reader, api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    for name in ("degraded", "disabled", "registering", "deleted"):
        await api.add_plugin(plugin.url, name)
        status = name if name != "deleted" else "active"
        await pool.execute("UPDATE plugins SET status = $2 WHERE name = $1", name, status)
    await pool.execute(
        "UPDATE plugins SET deleted_at = now(), disabled_at = now() WHERE name = 'deleted'"
    )
    found = {item["name"]: item["status"] for item in (await reader.list()).json["items"]}
    assert found == {"reader": "active", "degraded": "degraded"}


async def pages(reader: Reader, limit: int) -> list[list[tuple[str, str]]]:
    found, query = [], {"limit": str(limit)}
    while True:
        answer = await reader.list(**query)
        assert answer.status == 200, answer.raw
        found.append([(item["name"], item["version"]) for item in answer.json["items"]])
        if answer.json["next_cursor"] is None:
            return found
        query["cursor"] = answer.json["next_cursor"]


async def test_it_comes_in_pages_by_name_and_version(
    reader: Reader, api: Api, plugin: ScriptedPlugin
) -> None:
    names = [("alpha", "1.0.0"), ("alpha", "2.0.0"), ("zulu", "1.0.0")]
    for name, version in reversed(names):
        await api.add_plugin(plugin.url, name, version=version)
    whole = [*names[:2], ("reader", "1.0.0"), names[2]]
    assert await pages(reader, 1) == [[one] for one in whole]
    assert await pages(reader, 3) == [whole[:3], whole[3:]]
    assert await pages(reader, 4) == [whole]


async def test_what_happens_meanwhile_moves_nothing(
    reader: Reader, api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    for name in ("alpha", "zulu"):
        await api.add_plugin(plugin.url, name)
    first = (await reader.list(limit="1")).json
    await api.add_plugin(plugin.url, "aaa")
    await pool.execute("UPDATE plugins SET status = 'disabled' WHERE name = 'alpha'")
    second = (await reader.list(cursor=first["next_cursor"])).json
    assert [item["name"] for item in second["items"]] == ["reader", "zulu"]


async def test_a_cursor_is_of_this_list_and_this_plugin(
    reader: Reader, api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    other = await api.add_plugin(plugin.url, "zulu")
    cursor = (await reader.list(limit="1")).json["next_cursor"]
    another = await reader_of(api, pool, other["plugin_id"], "plugins:read")
    user, dialog = await api.user(), uuid4()
    for text in ("one", "two"):
        await api.say(user, text, dialog)
    page = await api.bot("GET", f"/api/v1/dialogs/{dialog}", params={"limit": "1"})
    refused = [
        await another.list(cursor=cursor),
        await reader.list(cursor=page.json["next_cursor"]),
        await reader.list(cursor=cursor[:-1]),
        await reader.list(cursor="A" * 256),
    ]
    for answer in refused:
        assert (answer.status, answer.json["code"]) == (422, "validation_failed")
        fault = answer.json["errors"][0]
        assert (fault["location"], fault["pointer"], fault["code"]) == (
            "query", "/cursor", "cursor_invalid",
        )  # fmt: skip
    assert (await reader.list(cursor=cursor)).status == 200


WRONG: list[tuple[dict[str, str], str]] = [
    ({"limit": "0"}, "/limit"),
    ({"limit": "101"}, "/limit"),
    ({"limit": "1.5"}, "/limit"),
    ({"limit": ""}, "/limit"),
    ({"cursor": ""}, "/cursor"),
    ({"cursor": "a b"}, "/cursor"),
    ({"cursor": "a" * 257}, "/cursor"),
    ({"status": "disabled"}, "/status"),
]


@pytest.mark.parametrize(("query", "pointer"), WRONG)
async def test_a_wrong_parameter_is_pointed_at(
    reader: Reader, query: dict[str, str], pointer: str
) -> None:
    answer = await reader.list(**query)
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer]


async def test_who_may_not_read_it(reader: Reader, api: Api, pool: asyncpg.Pool) -> None:
    narrow = await reader_of(api, pool, str(reader.plugin_id), "telemetry:write")
    answers: list[tuple[Any, int, str]] = [
        (await narrow.list(), 403, "insufficient_scope"),
        (await api.send("GET", PATH), 401, "missing_credentials"),
        (await api.bot("GET", PATH), 401, "missing_credentials"),
        (await Reader(api, uuid4(), api.bot_token).list(), 401, "invalid_credentials"),
    ]
    for answer, status, code in answers:
        assert (answer.status, answer.json["code"]) == (status, code)
