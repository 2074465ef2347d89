from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from impl.tokens import development, queries
from impl.tokens.issue import issue, rotate_plugin_tokens

SQL = [
    pytest.param(value, id=f"{module.__name__}.{name}")
    for module in (queries, development)
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, str)
]


@pytest.mark.parametrize("sql", SQL)
async def test_every_statement_prepares(connection: asyncpg.Connection, sql: str) -> None:
    await connection.prepare(sql)


async def make_plugin(executor: asyncpg.Pool) -> UUID:
    made: UUID = await executor.fetchval(
        "INSERT INTO plugins (name, version, base_url, manifest, manifest_hash) "
        "VALUES ($1, '1.0.0', 'http://localhost:1', '{}', 'abc') RETURNING id",
        f"plugin-{uuid4()}",
    )
    return made


async def make_bot(executor: asyncpg.Pool, name: str = "bot") -> UUID:
    bot_id = await queries.insert_bot(executor, name)
    assert bot_id
    return bot_id


async def test_only_a_hash_is_stored(pool: asyncpg.Pool) -> None:
    new = await issue(pool, "admin", scopes={"audit:read"})
    row = await pool.fetchrow("SELECT * FROM tokens")
    assert row["id"] == new.id
    assert row["hash"].startswith("$argon2id$")
    secret = new.plaintext.split("_")[3]
    assert secret not in repr(row)
    assert secret not in repr(new)
    assert new.expires_at is None


async def test_expiry_is_counted_by_the_database(pool: asyncpg.Pool) -> None:
    new = await issue(pool, "registry", scopes=[], expires_in=timedelta(days=90))
    assert new.expires_at == new.issued_at + timedelta(days=90)


async def test_rotation_ends_older_tokens_after_the_overlap(pool: asyncpg.Pool) -> None:
    plugin_id, other_id = await make_plugin(pool), await make_plugin(pool)
    hour = timedelta(hours=1)

    async def token(of: UUID, expires_in: timedelta | None) -> str:
        new = await issue(pool, "plugin", subject_id=of, scopes=[], expires_in=expires_in)
        return new.id

    endless, short = await token(plugin_id, None), await token(plugin_id, hour / 60)
    others = await token(other_id, None)
    await rotate_plugin_tokens(pool, plugin_id, hour)
    newest = await token(plugin_id, None)

    async def left(token_id: str) -> timedelta | None:
        remaining: timedelta | None = await pool.fetchval(
            "SELECT expires_at - now() FROM tokens WHERE id = $1", token_id
        )
        return remaining

    after = await left(endless)
    assert after is not None
    assert hour - timedelta(minutes=1) < after <= hour
    soon = await left(short)
    assert soon is not None
    assert soon <= hour / 60, "an earlier end was put off"
    assert await left(others) is await left(newest) is None


async def test_a_revoked_plugins_tokens_are_named(pool: asyncpg.Pool) -> None:
    plugin_id = await make_plugin(pool)
    new = [await issue(pool, "plugin", subject_id=plugin_id, scopes=[]) for _ in range(2)]
    revoked = await queries.revoke_plugin_tokens(pool, plugin_id)
    assert sorted(revoked) == sorted(token.id for token in new)
    assert await queries.revoke_plugin_tokens(pool, plugin_id) == []


async def test_a_bots_name_is_taken_once(pool: asyncpg.Pool) -> None:
    assert await queries.insert_bot(pool, "one")
    assert await queries.insert_bot(pool, "one") is None


async def test_a_bot_is_found_by_name_and_by_id_and_the_id_wins(pool: asyncpg.Pool) -> None:
    one = await make_bot(pool, "one")
    await make_bot(pool, str(one))
    assert await queries.find_bot(pool, "one") == one
    assert await queries.find_bot(pool, str(one).upper()) == one
    assert await queries.find_bot(pool, str(one)) == one
    assert await queries.find_bot(pool, "nobody") is None


async def test_revoking_a_bot_revokes_its_tokens_and_keeps_the_first_time(
    pool: asyncpg.Pool,
) -> None:
    bot_id = await make_bot(pool)
    await issue(pool, "bot", subject_id=bot_id, scopes=[])
    assert await queries.revoke_bot(pool, bot_id)
    first = await pool.fetchrow("SELECT b.revoked_at, t.revoked_at FROM bots b, tokens t")
    assert all(first)
    assert not await queries.revoke_bot(pool, bot_id)
    assert await pool.fetchrow("SELECT b.revoked_at, t.revoked_at FROM bots b, tokens t") == first


async def test_bots_are_listed_with_their_valid_tokens(pool: asyncpg.Pool) -> None:
    bot_id, other_id = await make_bot(pool, "one"), await make_bot(pool, "other")
    kept = await issue(pool, "bot", subject_id=bot_id, scopes=[])
    revoked = await issue(pool, "bot", subject_id=bot_id, scopes=[])
    await issue(pool, "bot", subject_id=bot_id, scopes=[], expires_in=timedelta(seconds=-1))
    assert await queries.revoke(pool, revoked.id)
    assert not await queries.revoke(pool, revoked.id)
    listed = await queries.list_bots(pool)
    assert [(bot.id, bot.name, bot.tokens) for bot in listed] == [
        (bot_id, "one", 1),
        (other_id, "other", 0),
    ]
    assert await queries.find(pool, kept.id, "bot")
