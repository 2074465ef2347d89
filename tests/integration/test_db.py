"""What counts as a lost connection."""

import asyncpg
import pytest

from impl.db import LOST, repeated_if_lost

FIELDS = b"SFATAL\0VFATAL\0C57P02\0Mterminating connection\0\0"
LAST_WORD = b"E" + (len(FIELDS) + 4).to_bytes(4, "big") + FIELDS


async def test_a_connection_that_was_told_its_end_is_lost_before_it_ends(
    connection: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    """So each one is for a moment when PostgreSQL stops, or one of its processes is killed."""
    await connection.fetchval("SELECT 1")
    connection._protocol.data_received(LAST_WORD)
    assert not connection.is_closed()
    executors = [connection, pool]

    async def statement() -> int:
        number: int = await executors.pop(0).fetchval("SELECT 1")
        return number

    assert await repeated_if_lost(statement) == 1


async def test_a_transaction_is_lost_with_it(postgres: str) -> None:
    connection = await asyncpg.connect(postgres)
    with pytest.raises(LOST):
        async with connection.transaction():
            connection._protocol.data_received(LAST_WORD)
    await connection.close()
