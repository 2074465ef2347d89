"""Bots and plugins, as the rows that tokens need."""

from uuid import UUID, uuid4

import asyncpg

from impl.bots.queries import insert_bot


async def make_bot(executor: asyncpg.Pool, name: str = "bot") -> UUID:
    bot_id = await insert_bot(executor, name)
    assert bot_id
    return bot_id


async def make_plugin(executor: asyncpg.Pool, *scopes: str) -> UUID:
    made: UUID = await executor.fetchval(
        "INSERT INTO plugins (name, version, base_url, manifest, manifest_hash, scopes) "
        "VALUES ($1, '1.0.0', 'http://localhost:1', '{}', repeat('a', 64), $2) RETURNING id",
        f"plugin-{uuid4()}",
        list(scopes),
    )
    return made
