"""All that a deployment writes down, as text, for a test to search."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
from redis.asyncio import Redis

# How a value of each type is read whole.
READ = {
    "string": ("GET",),
    "hash": ("HGETALL",),
    "stream": ("XRANGE", "-", "+"),
    "zset": ("ZRANGE", 0, -1, "WITHSCORES"),
    "set": ("SMEMBERS",),
    "list": ("LRANGE", 0, -1),
}
TABLES = """
SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
"""


async def rows_of_every_table(connection: asyncpg.Connection) -> dict[str, str]:
    """By table; bytes are in hexadecimal digits, and as they are where they are text."""
    found = {}
    for (table,) in await connection.fetch(TABLES):
        rows = await connection.fetch(f"SELECT to_jsonb(each)::text FROM {table} AS each")
        found[f"table {table}"] = "\n".join(row[0] for row in rows)
    return found


async def every_key(redis: Redis) -> dict[str, str]:
    return {f"Redis {key}": value async for key, value in _keys(redis)}


async def _keys(redis: Redis) -> AsyncIterator[tuple[str, str]]:
    async for key in redis.scan_iter(count=1000):
        client: Any = redis  # typed for both of redis-py's clients
        command, *rest = READ[await client.type(key)]
        yield key, f"{key} {await client.execute_command(command, key, *rest)}"
