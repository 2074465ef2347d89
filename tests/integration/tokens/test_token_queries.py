from collections.abc import Iterator
from datetime import timedelta
from types import ModuleType
from uuid import UUID

import asyncpg
import pytest

from impl.audit import log
from impl.bots import queries as bots
from impl.tokens import development, queries
from impl.tokens.administration import queries as administration
from impl.tokens.issue import issue, rotate_plugin_tokens
from tests.integration.tokens.rows import make_plugin


def statements(module: ModuleType) -> Iterator[tuple[str, object]]:
    """Its constants; those of a mapping one by one."""
    for name, value in vars(module).items():
        found = value if isinstance(value, dict) else {"": value}
        for key, text in found.items():
            if name.isupper() and not name.startswith("_") and " " in str(text):
                yield f"{module.__name__}.{name}.{key}".rstrip("."), text


SQL = [
    pytest.param(text, id=name)
    for module in (queries, administration, bots, log, development)
    for name, text in statements(module)
    if isinstance(text, str)
]


@pytest.mark.parametrize("sql", SQL)
async def test_every_statement_prepares(connection: asyncpg.Connection, sql: str) -> None:
    await connection.prepare(sql)


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
