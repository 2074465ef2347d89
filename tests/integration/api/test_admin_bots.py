"""Bots as an operator manages them."""

from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from impl.tokens.issue import issue
from tests.stack import Answer, Api

BOTS = "/api/v1/admin/bots"


class Operator:
    def __init__(self, api: Api, key: str) -> None:
        self.api, self.key = api, key

    async def send(self, method: str, path: str = "", **options: Any) -> Answer:
        headers = {"X-Admin-Key": self.key}
        return await self.api.send(method, f"{BOTS}{path}", headers=headers, **options)

    async def create(self, name: str, **body: Any) -> Answer:
        return await self.send("POST", json={"name": name, **body})


@pytest_asyncio.fixture
async def operator(api: Api, pool: asyncpg.Pool) -> Operator:
    key = await issue(pool, "admin", scopes=["bots:manage"])
    return Operator(api, key.plaintext)


async def test_a_new_bot_can_talk_at_once(operator: Operator) -> None:
    made = await operator.create("telegram")
    assert made.status == 201, made.raw
    assert made.headers["Cache-Control"] == "no-store"
    assert made.json["issued"]["scopes"] == ["dialogs:read", "dialogs:write", "users:write"]
    assert made.json["issued"]["expires_at"] is None
    assert made.json["bot"]["tokens"] == 1
    operator.api.bot_token = made.json["token"]
    await operator.api.user()


async def test_the_first_token_can_be_narrow(operator: Operator) -> None:
    made = await operator.create("reader", scopes=["dialogs:read"], expires_in_seconds=60)
    assert made.json["issued"]["scopes"] == ["dialogs:read"]
    assert made.json["issued"]["expires_at"] is not None


async def test_a_name_is_taken_for_good(operator: Operator, pool: asyncpg.Pool) -> None:
    bot_id = (await operator.create("telegram")).json["bot"]["id"]
    before = await pool.fetchval("SELECT count(*) FROM tokens")
    for _ in range(2):
        again = await operator.create("telegram")
        assert (again.status, again.json["code"]) == (409, "bot_name_taken")
        await operator.send("DELETE", f"/{bot_id}")
    assert await pool.fetchval("SELECT count(*) FROM tokens") == before


@pytest.mark.parametrize("name", ["x", "x" * 64, "Погода 🌦", " ", "é" * 64])
async def test_a_name_is_what_can_be_printed(operator: Operator, name: str) -> None:
    assert (await operator.create(name)).json["bot"]["name"] == name


@pytest.mark.parametrize(
    "name",
    ["", "x" * 65, "a\nb", "a\x00b", "a\x7fb", "a\x9bb", "a\u061cb", "\u202egro.evil", "a\u200bb"],
)
async def test_a_name_that_disguises_something_is_refused(
    operator: Operator, pool: asyncpg.Pool, name: str
) -> None:
    refused = await operator.create(name)
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, "/name")
    assert await pool.fetchval("SELECT count(*) FROM bots") == 1


async def test_a_revoked_bot_is_out_at_once_and_for_good(operator: Operator) -> None:
    made = (await operator.create("telegram")).json
    bot_id = made["bot"]["id"]
    operator.api.bot_token = made["token"]
    await operator.api.user()  # its token is cached from here on
    revoked = await operator.send("DELETE", f"/{bot_id.upper()}")
    assert revoked.status == 200
    assert (revoked.json["tokens"], revoked.json["id"]) == (0, bot_id)
    assert (await operator.api.bot("GET", f"/api/v1/dialogs/{uuid4()}")).status == 401
    assert (await operator.send("DELETE", f"/{bot_id}")).json == revoked.json
    listed = (await operator.send("GET")).json["items"]
    assert [bot for bot in listed if bot["revoked_at"]] == [revoked.json]


async def test_a_bot_that_never_was_is_not_found(operator: Operator) -> None:
    answer = await operator.send("DELETE", f"/{uuid4()}")
    assert (answer.status, answer.json["code"]) == (404, "bot_not_found")
    assert (await operator.send("DELETE", "/telegram")).status == 422


async def test_pages_lead_through_all_bots_by_name(operator: Operator) -> None:
    for name in ("d", "b", "a", "c"):
        await operator.create(name)
    found: list[str] = []
    query = {"limit": "2"}
    while True:
        page = (await operator.send("GET", params=query)).json
        found += [bot["name"] for bot in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
        await operator.create(f"0{len(found)}")  # it moves nothing
    assert found == ["a", "b", "c", "d", "tests"]


@pytest.mark.parametrize("cursor", ["AAAA", "x" * 256, "_"])
async def test_a_forged_cursor_is_refused(operator: Operator, cursor: str) -> None:
    answer = await operator.send("GET", params={"cursor": cursor})
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "cursor_invalid")


async def test_without_the_scope_nothing_is_managed(operator: Operator, pool: asyncpg.Pool) -> None:
    operator.key = (await issue(pool, "admin", scopes=["plugins:manage"])).plaintext
    for answer in (
        await operator.send("GET"),
        await operator.create("telegram"),
        await operator.send("DELETE", f"/{operator.api.bot_id}"),
    ):
        assert (answer.status, answer.json["code"]) == (403, "insufficient_scope")
    assert await pool.fetchval("SELECT count(*) FROM bots WHERE revoked_at IS NULL") == 1
