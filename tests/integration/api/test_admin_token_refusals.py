"""What an operator may not do with tokens."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from impl.tokens.issue import issue
from tests.integration.api.operator import BOT_SCOPES, PLUGIN_SCOPES, Operator, code, fault
from tests.integration.tokens.rows import make_bot, make_plugin
from tests.stack import Answer, Api


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


async def test_nobody_gives_a_token_what_his_own_key_lacks(api: Api, pool: asyncpg.Pool) -> None:
    """Who is shown a plugin's token could else read what his key does not let him read."""
    scopes = ["plugins:read", "telemetry:read"]
    narrow = await issue(pool, "admin", scopes=["plugins:manage"])
    plugin = f"plugins/{await make_plugin(pool, *scopes)}"
    wide = await issue(pool, "admin", scopes=["plugins:manage", "telemetry:read"])
    lacking = Operator(api, narrow.plaintext, plugin, scopes)
    having = Operator(api, wide.plaintext, plugin, scopes)
    assert code(await lacking.issue()) == (403, "insufficient_scope")
    token = await having.token()
    assert code(await lacking.rotate(token["issued"]["id"])) == (403, "insufficient_scope")
    assert await lacking.works(token["token"]), "and nothing was done to it"
    assert (await lacking.issue(scopes=["plugins:read"])).status == 201
    assert (await having.rotate(token["issued"]["id"])).status == 201


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
