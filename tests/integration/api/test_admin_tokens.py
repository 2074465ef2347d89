"""Tokens of bots and plugins as an operator manages them."""

from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg

from impl.settings import Settings
from impl.tokens.issue import issue
from tests.integration.api.operator import BOT_SCOPES, PLUGIN_SCOPES, Operator, code, fault
from tests.integration.tokens.rows import make_bot, make_plugin
from tests.stack import Api, running_api


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


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
