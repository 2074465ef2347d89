"""Tokens of bots and plugins as an operator manages them."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from impl.settings import Settings
from impl.tokens.issue import issue
from tests.integration.tokens.rows import make_bot, make_plugin
from tests.stack import Answer, Api, running_api

BOT_SCOPES = ["dialogs:read", "dialogs:write", "users:write"]
PLUGIN_SCOPES = ["plugins:read", "telemetry:write"]


class Operator:
    """Sends what it is told with an admin key, below one bot or plugin."""

    def __init__(self, api: Api, key: str, holder: str, scopes: list[str]) -> None:
        self.api, self.key, self.holder, self.scopes = api, key, holder, scopes

    @property
    def tokens(self) -> str:
        return f"/api/v1/admin/{self.holder}/tokens"

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        return await self.api.send(method, path, headers={"X-Admin-Key": self.key}, **options)

    async def issue(self, **body: Any) -> Answer:
        return await self.send("POST", self.tokens, json={"scopes": self.scopes, **body})

    async def token(self, **body: Any) -> Any:
        answer = await self.issue(**body)
        assert answer.status == 201, answer.raw
        return answer.json

    async def rotate(self, token_id: str, **body: Any) -> Answer:
        return await self.send("POST", f"{self.tokens}/{token_id}/rotate", json=body)

    async def narrow(self, token_id: str, **body: Any) -> Answer:
        return await self.send("PATCH", f"{self.tokens}/{token_id}", json=body)

    async def revoke(self, token_id: str) -> Answer:
        return await self.send("DELETE", f"{self.tokens}/{token_id}")

    async def works(self, plaintext: str) -> bool:
        """Whether the API takes it now; what it permits is another matter."""
        if self.holder.startswith("bots"):
            headers = {"X-Bot-Token": plaintext}
            answer = await self.api.send("GET", f"/api/v1/dialogs/{uuid4()}", headers=headers)
        else:
            headers = {"Authorization": f"Bearer {plaintext}"}
            path = f"/api/v1/{self.holder}/heartbeat"
            body = {"plugin_id": self.holder.partition("/")[2], "status": "active"}
            answer = await self.api.send("POST", path, headers=headers, json=body)
        return answer.status != 401


@pytest_asyncio.fixture(params=["bots", "plugins"])
async def operator(request: pytest.FixtureRequest, api: Api, pool: asyncpg.Pool) -> Operator:
    key = await issue(pool, "admin", scopes=[f"{request.param}:manage"])
    if request.param == "bots":
        return Operator(api, key.plaintext, f"bots/{await make_bot(pool)}", BOT_SCOPES)
    plugin_id = await make_plugin(pool, *PLUGIN_SCOPES)
    return Operator(api, key.plaintext, f"plugins/{plugin_id}", PLUGIN_SCOPES)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["code"]


def fault(answer: Answer) -> tuple[int, str, str]:
    [found] = answer.json["errors"]
    return answer.status, found["pointer"], found["code"]


async def test_a_new_token_works_and_its_secret_is_shown_once(
    operator: Operator, pool: asyncpg.Pool
) -> None:
    made = await operator.issue(expires_in_seconds=90, name="one")
    assert made.status == 201, made.raw
    assert made.headers["Cache-Control"] == "no-store"
    issued = made.json["issued"]
    assert issued["name"] == "one"
    assert issued["scopes"] == operator.scopes
    assert moment(issued["expires_at"]) - moment(issued["created_at"]) == timedelta(seconds=90)
    assert await operator.works(made.json["token"])
    listed = await operator.send("GET", operator.tokens)
    [shown] = listed.json["items"]
    assert shown == {**issued, "last_used_at": shown["last_used_at"]}
    assert shown["last_used_at"] is not None
    hashed = await pool.fetchval("SELECT hash FROM tokens WHERE id = $1", issued["id"])
    secret = made.json["token"].split("_")[3]
    assert hashed not in listed.raw.decode() + made.raw.decode()
    assert secret not in listed.raw.decode()


async def test_a_rotated_token_lives_on_as_long_as_it_was_told(operator: Operator) -> None:
    old = await operator.token(expires_in_seconds=3600, name="one")
    made = await operator.rotate(old["issued"]["id"], overlap_seconds=60)
    assert made.status == 201, made.raw
    assert made.headers["Cache-Control"] == "no-store"
    new = made.json["issued"]
    assert (new["scopes"], new["name"]) == (old["issued"]["scopes"], "one")
    assert moment(new["expires_at"]) - moment(new["created_at"]) == timedelta(hours=1)
    assert await operator.works(old["token"])
    assert await operator.works(made.json["token"])
    _, shown = (await operator.send("GET", operator.tokens)).json["items"]
    assert moment(shown["expires_at"]) - moment(new["created_at"]) == timedelta(seconds=60)


async def test_an_overlap_does_not_prolong_a_token(operator: Operator) -> None:
    old = await operator.token(expires_in_seconds=60)
    assert (await operator.rotate(old["issued"]["id"], overlap_seconds=3600)).status == 201
    _, shown = (await operator.send("GET", operator.tokens)).json["items"]
    assert shown["expires_at"] == old["issued"]["expires_at"]


async def test_a_token_without_an_end_is_replaced_by_one_without_or_by_one_with(
    operator: Operator,
) -> None:
    old = await operator.token()
    endless = await operator.rotate(old["issued"]["id"])
    assert endless.json["issued"]["expires_at"] is None
    ending = (await operator.rotate(old["issued"]["id"], expires_in_seconds=5)).json["issued"]
    assert moment(ending["expires_at"]) - moment(ending["created_at"]) == timedelta(seconds=5)


async def test_no_overlap_ends_the_old_token_at_once(operator: Operator) -> None:
    old = await operator.token()
    assert await operator.works(old["token"])  # cached from here on
    assert (await operator.rotate(old["issued"]["id"], overlap_seconds=0)).status == 201
    assert not await operator.works(old["token"])
    _, shown = (await operator.send("GET", operator.tokens)).json["items"]
    assert shown["revoked_at"] is not None, "not expired: an operator may wish to know"
    again = await operator.rotate(old["issued"]["id"])
    assert code(again) == (409, "token_revoked")


async def test_a_revoked_token_is_dead_here_at_once_and_keeps_its_time(operator: Operator) -> None:
    token = await operator.token()
    assert await operator.works(token["token"])  # cached from here on
    first = await operator.revoke(token["issued"]["id"])
    assert first.status == 200
    assert first.json["revoked_at"] is not None
    assert not await operator.works(token["token"])
    assert (await operator.revoke(token["issued"]["id"])).json == first.json
    for answer in (
        await operator.rotate(token["issued"]["id"]),
        await operator.narrow(token["issued"]["id"], scopes=operator.scopes[:1]),
    ):
        assert code(answer) == (409, "token_revoked")


async def test_an_expired_token_is_neither_rotated_nor_narrowed(
    operator: Operator, pool: asyncpg.Pool
) -> None:
    token_id = (await operator.token(expires_in_seconds=60))["issued"]["id"]
    await pool.execute("UPDATE tokens SET expires_at = now() WHERE id = $1", token_id)
    assert code(await operator.rotate(token_id)) == (409, "token_revoked")
    assert code(await operator.narrow(token_id)) == (409, "token_revoked")
    assert (await operator.revoke(token_id)).status == 200


async def test_a_narrowed_token_permits_less_here_at_once(api: Api, pool: asyncpg.Pool) -> None:
    key = await issue(pool, "admin", scopes=["bots:manage"])
    operator = Operator(api, key.plaintext, f"bots/{api.bot_id}", BOT_SCOPES)
    api.bot_token = (token := await operator.token())["token"]
    await api.user()
    narrowed = await operator.narrow(token["issued"]["id"], scopes=["dialogs:read"])
    assert narrowed.json["scopes"] == ["dialogs:read"]
    refused = await api.bot("POST", "/api/v1/users", json={"telegram_id": 1, "display_name": "A"})
    assert code(refused) == (403, "insufficient_scope")
    assert (await api.bot("GET", f"/api/v1/dialogs/{uuid4()}")).status == 404


async def test_a_plugins_narrowed_token_permits_less_here_at_once(
    api: Api, pool: asyncpg.Pool
) -> None:
    """Scopes come with the row: what the verifier kept of the wider one is forgotten."""
    key = await issue(pool, "admin", scopes=["plugins:manage"])
    plugin_id = await make_plugin(pool, *PLUGIN_SCOPES)
    operator = Operator(api, key.plaintext, f"plugins/{plugin_id}", PLUGIN_SCOPES)
    token = await operator.token()
    assert await operator.works(token["token"])
    narrowed = await operator.narrow(token["issued"]["id"], scopes=[])
    assert narrowed.json["scopes"] == []
    assert await operator.works(token["token"]), "heartbeats need no scope"


async def test_a_token_is_narrowed_in_time(operator: Operator) -> None:
    token_id = (await operator.token())["issued"]["id"]
    hour = await operator.narrow(token_id, expires_in_seconds=3600)
    assert hour.json["scopes"] == operator.scopes
    minute = await operator.narrow(token_id, expires_in_seconds=60)
    assert moment(minute.json["expires_at"]) < moment(hour.json["expires_at"])
    longer = await operator.narrow(token_id, expires_in_seconds=3600)
    assert fault(longer) == (422, "/expires_in_seconds", "wider")
    assert (await operator.narrow(token_id)).json == minute.json, "nothing given, nothing changed"


async def test_nothing_widens_a_token(operator: Operator) -> None:
    token_id = (await operator.token(scopes=operator.scopes[:1]))["issued"]["id"]
    wider = await operator.narrow(token_id, scopes=operator.scopes[:2])
    assert fault(wider) == (422, "/scopes/1", "wider")


async def test_a_plugins_token_permits_no_more_than_it_registered_for(
    api: Api, pool: asyncpg.Pool
) -> None:
    key = await issue(pool, "admin", scopes=["plugins:manage"])
    plugin_id = await make_plugin(pool, *PLUGIN_SCOPES)
    operator = Operator(api, key.plaintext, f"plugins/{plugin_id}", PLUGIN_SCOPES)
    wider = await operator.issue(scopes=["plugins:read", "telemetry:read"])
    assert fault(wider) == (422, "/scopes/1", "wider")
    token = await operator.token()
    await pool.execute("UPDATE plugins SET scopes = '{telemetry:write}' WHERE id = $1", plugin_id)
    new = await operator.rotate(token["issued"]["id"])
    assert new.json["issued"]["scopes"] == ["telemetry:write"], "what it registers for now"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scopes": ["audit:read"]}, "/scopes/0"),
        ({"scopes": ["plugins:register"]}, "/scopes/0"),
        ({"scopes": None}, "/scopes"),
        ({"expires_in_seconds": 0}, "/expires_in_seconds"),
        ({"expires_in_seconds": 315_360_001}, "/expires_in_seconds"),
        ({"expires_in_seconds": "60"}, "/expires_in_seconds"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 65}, "/name"),
        ({"name": "a\x1b[2Jb"}, "/name"),
        ({"name": "a\u202eb"}, "/name"),
        ({"hash": "mine"}, "/hash"),
    ],
)
async def test_values_that_are_none_are_refused(
    operator: Operator, body: dict[str, Any], pointer: str
) -> None:
    refused = await operator.issue(**body)
    assert fault(refused)[:2] == (422, pointer)


async def test_a_scope_is_given_once(operator: Operator) -> None:
    twice = [operator.scopes[0]] * 2
    assert fault(await operator.issue(scopes=twice)) == (422, "/scopes", "not_unique")
    token_id = (await operator.token())["issued"]["id"]
    assert fault(await operator.narrow(token_id, scopes=twice)) == (422, "/scopes", "not_unique")


async def test_only_a_plugins_token_can_permit_nothing(operator: Operator) -> None:
    empty = await operator.issue(scopes=[])
    if operator.scopes == BOT_SCOPES:
        assert fault(empty) == (422, "/scopes", "too_short")
    else:
        assert empty.json["issued"]["scopes"] == []


async def test_a_token_of_another_is_not_found(operator: Operator, pool: asyncpg.Pool) -> None:
    bot = await make_bot(pool, "another")
    plugin = await make_plugin(pool, *PLUGIN_SCOPES)
    foreign = [
        (await issue(pool, "bot", subject_id=bot, scopes=BOT_SCOPES)).id,
        (await issue(pool, "plugin", subject_id=plugin, scopes=PLUGIN_SCOPES)).id,
        (await issue(pool, "admin", scopes=["audit:read"])).id,
        "EXAMPLE0EXAMPLE0",
    ]
    before = await pool.fetch("SELECT * FROM tokens ORDER BY id")
    for token_id in foreign:
        for answer in (
            await operator.rotate(token_id),
            await operator.narrow(token_id, expires_in_seconds=1),
            await operator.revoke(token_id),
        ):
            assert code(answer) == (404, "token_not_found")
    # The operator's own key was used, which is noted.
    after = await pool.fetch("SELECT * FROM tokens ORDER BY id")
    assert [{**row, "last_used_at": None} for row in before] == [
        {**row, "last_used_at": None} for row in after
    ]
    assert fault(await operator.revoke("short"))[:2] == (422, "/token_id")


async def test_whoever_is_gone_has_no_tokens(operator: Operator, pool: asyncpg.Pool) -> None:
    token_id = (await operator.token())["issued"]["id"]
    kind = operator.holder.partition("s/")[0]
    await pool.execute("UPDATE plugins SET disabled_at = now(), deleted_at = now()")
    await pool.execute("UPDATE bots SET revoked_at = now()")
    for of in (operator.holder, f"{kind}s/{uuid4()}"):
        operator.holder = of
        for answer in (
            await operator.send("GET", operator.tokens),
            await operator.issue(),
            await operator.rotate(token_id),
            await operator.narrow(token_id),
            await operator.revoke(token_id),
        ):
            assert code(answer) == (404, f"{kind}_not_found")


async def test_pages_lead_through_all_tokens_the_newest_first(operator: Operator) -> None:
    made = [(await operator.token())["issued"]["id"] for _ in range(5)]
    found: list[str] = []
    query = {"limit": "2"}
    while True:
        page = (await operator.send("GET", operator.tokens, params=query)).json
        found += [token["id"] for token in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
        await operator.token()  # it moves nothing
    assert found == made[::-1]


async def test_a_cursor_is_of_one_list_only(operator: Operator, pool: asyncpg.Pool) -> None:
    for _ in range(2):
        await operator.token()
    page = await operator.send("GET", operator.tokens, params={"limit": "1"})
    cursor = page.json["next_cursor"]
    other = await make_bot(pool, "another")
    key = (await issue(pool, "admin", scopes=["bots:manage"])).plaintext
    stranger = Operator(operator.api, key, f"bots/{other}", BOT_SCOPES)
    flipped = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    for answer in (
        await stranger.send("GET", stranger.tokens, params={"cursor": cursor}),
        await stranger.send("GET", "/api/v1/admin/bots", params={"cursor": cursor}),
        await operator.send("GET", operator.tokens, params={"cursor": flipped}),
        await operator.send("GET", operator.tokens, params={"cursor": "EXAMPLE0EXAMPLE0"}),
    ):
        assert fault(answer) == (422, "/cursor", "cursor_invalid")


async def test_only_an_admin_key_with_the_scope_manages(
    operator: Operator, pool: asyncpg.Pool
) -> None:
    token = await operator.token()
    other = await issue(pool, "admin", scopes=["audit:read", "limits:manage"])
    calls: list[Callable[[], Awaitable[Answer]]] = [
        lambda: operator.send("GET", operator.tokens),
        operator.issue,
        lambda: operator.rotate(token["issued"]["id"]),
        lambda: operator.narrow(token["issued"]["id"]),
        lambda: operator.revoke(token["issued"]["id"]),
    ]
    for call in calls:
        operator.key = other.plaintext
        assert code(await call()) == (403, "insufficient_scope")
        operator.key = token["token"]
        assert code(await call()) == (401, "invalid_credentials")


async def test_another_instance_notices_within_the_time_of_its_cache(
    pool: asyncpg.Pool, settings: Settings
) -> None:
    """With no cache at once; with one, when its time is over."""
    eager = settings.model_copy(update={"token_cache_seconds": 0.0})
    key = await issue(pool, "admin", scopes=["bots:manage"])
    bot_id = await make_bot(pool, "shared")
    async with (
        running_api(pool, settings) as one,
        running_api(pool, eager, bot_name="two") as other,
    ):
        here = Operator(one, key.plaintext, f"bots/{bot_id}", BOT_SCOPES)
        there = Operator(other, key.plaintext, f"bots/{bot_id}", BOT_SCOPES)
        token = await here.token()
        assert await here.works(token["token"])
        assert await there.works(token["token"])
        await here.revoke(token["issued"]["id"])
        assert not await here.works(token["token"])
        assert not await there.works(token["token"])
