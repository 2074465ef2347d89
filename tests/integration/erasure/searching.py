"""Where a text stands, in all of the database and all of Redis."""

from typing import Any

import asyncpg
from redis.asyncio import Redis

# Every table, whoever made it and when: a new one is searched by itself.
TABLES = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY table_name
"""


async def tables_with(pool: asyncpg.Pool, text: str) -> set[str]:
    """The tables of which a row holds it in any column; bytea is written in hexadecimal digits."""
    found = set()
    patterns = [f"%{text}%", f"%{text.encode().hex()}%"]
    for table in [row["table_name"] for row in await pool.fetch(TABLES)]:
        asked = f'SELECT EXISTS (SELECT FROM "{table}" AS one WHERE one::text LIKE ANY($1))'
        if await pool.fetchval(asked, patterns):
            found.add(table)
    return found


async def keys_with(redis: Redis, text: str) -> set[str]:
    """The keys whose name or value holds it."""
    return {key async for key in redis.scan_iter() if text in f"{key} {await _value(redis, key)}"}


async def _value(redis: Any, key: str) -> Any:
    kind = await redis.type(key)
    readers = {
        "string": lambda: redis.get(key),
        "hash": lambda: redis.hgetall(key),
        "stream": lambda: redis.xrange(key),
        "set": lambda: redis.smembers(key),
        "list": lambda: redis.lrange(key, 0, -1),
        "zset": lambda: redis.zrange(key, 0, -1),
    }
    return await readers[kind]() if kind in readers else None  # it has expired meanwhile
