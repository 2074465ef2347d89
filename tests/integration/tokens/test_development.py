import asyncio
from typing import cast

import asyncpg

from impl.bots.queries import find_bot, mark_revoked
from impl.tokens import queries
from impl.tokens.development import KEYS, ensure
from impl.tokens.format import Kind, parse
from impl.tokens.issue import issue
from impl.tokens.verifier import TokenVerifier


async def is_good(pool: asyncpg.Pool, values: dict[str, str]) -> bool:
    verifier = TokenVerifier(pool, ttl_seconds=0)
    found = [await verifier.verify(values[key.variable], key.kind) for key in KEYS]
    return all(found)


async def test_makes_a_bot_its_user_and_the_keys(database: str, pool: asyncpg.Pool) -> None:
    values = await ensure(database, {})
    verifier = TokenVerifier(pool, ttl_seconds=0)
    for key in KEYS:
        token = await verifier.verify(values[key.variable], key.kind)
        assert token
        assert token.scopes == key.scopes
    member = await pool.fetchrow(
        "SELECT bots.name, telegram_id, display_name, bot_users.locale, users.id FROM bots "
        "JOIN bot_users ON bot_id = bots.id JOIN users ON user_id = users.id"
    )
    assert tuple(member)[:4] == ("development", 1, "Developer", "en")
    assert values["USER_ID"] == str(member["id"])


async def test_what_is_good_stays(database: str, pool: asyncpg.Pool) -> None:
    values = await ensure(database, {})
    assert await ensure(database, values) == values
    assert await pool.fetchval("SELECT count(*) FROM tokens") == len(KEYS)


async def test_a_lost_bot_token_is_replaced_and_the_old_one_revoked(
    database: str, pool: asyncpg.Pool
) -> None:
    old = await ensure(database, {})
    lost = {name: value for name, value in old.items() if name != "BOTCORE_BOT_TOKEN"}
    new = await ensure(database, lost)
    assert {**new, "BOTCORE_BOT_TOKEN": ""} == {**old, "BOTCORE_BOT_TOKEN": ""}
    assert await is_good(pool, new)
    verifier = TokenVerifier(pool, ttl_seconds=0)
    assert await verifier.verify(old["BOTCORE_BOT_TOKEN"], "bot") is None


async def test_nonsense_and_values_of_another_database_are_replaced(
    database: str, pool: asyncpg.Pool
) -> None:
    first = await ensure(database, {})
    await pool.execute("TRUNCATE tokens")
    for previous in (first, {key.variable: "nonsense" for key in KEYS}):
        assert await is_good(pool, await ensure(database, previous))


async def test_a_key_that_became_too_narrow_is_replaced(database: str, pool: asyncpg.Pool) -> None:
    old = await ensure(database, {})
    await pool.execute("UPDATE tokens SET scopes = '{audit:read}' WHERE kind = 'admin'")
    new = await ensure(database, old)
    assert new["BOTCORE_ADMIN_KEY"] != old["BOTCORE_ADMIN_KEY"]
    assert new["BOTCORE_REGISTRY_KEY"] == old["BOTCORE_REGISTRY_KEY"]
    narrow = parse(old["BOTCORE_ADMIN_KEY"])
    assert narrow
    assert await queries.find(pool, narrow.id, "admin") is None


async def test_a_lost_key_is_revoked_and_an_operators_is_not(
    database: str, pool: asyncpg.Pool
) -> None:
    lost = await ensure(database, {})
    operators = [
        await issue(pool, "admin", scopes=["audit:read"]),
        await issue(pool, "registry", scopes=["plugins:register"], name="ci"),
    ]
    new = await ensure(database, {})
    assert await is_good(pool, new)
    verifier = TokenVerifier(pool, ttl_seconds=0)
    for key in KEYS:
        assert await verifier.verify(lost[key.variable], key.kind) is None
    for kind, issued in zip(("admin", "registry"), operators, strict=True):
        assert await verifier.verify(issued.plaintext, cast("Kind", kind))


async def test_a_revoked_development_bot_works_again(database: str, pool: asyncpg.Pool) -> None:
    old = await ensure(database, {})
    bot_id = await find_bot(pool, "development")
    assert bot_id
    await mark_revoked(pool, bot_id)
    assert await is_good(pool, await ensure(database, old))


async def test_two_at_once_agree_on_the_bot_and_the_user(database: str, pool: asyncpg.Pool) -> None:
    one, other = await asyncio.gather(ensure(database, {}), ensure(database, {}))
    assert one["USER_ID"] == other["USER_ID"]
    assert await pool.fetchval("SELECT count(*) FROM bots") == 1
