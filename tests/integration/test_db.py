"""What counts as a lost connection, and what the pool gives back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from impl.db import LOST, Connection, Pool, long_transaction, open_pool, repeated_if_lost
from tests.patience import PATIENT_SECONDS
from tests.stack import settings_for

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


@pytest_asyncio.fixture
async def single(database: str, valkey: str) -> AsyncIterator[Pool]:
    """A pool of one connection."""
    pool = await open_pool(settings_for(database, valkey, database_pool_size=1))
    yield pool
    pool.terminate()


async def test_a_connection_whose_statement_was_cancelled_is_used_again(single: Pool) -> None:
    backend = await single.fetchval("SELECT pg_backend_pid()")
    asked = asyncio.ensure_future(single.fetchval("SELECT pg_sleep(600)"))
    while single.get_idle_size():  # noqa: ASYNC110  # until it has the connection
        await asyncio.sleep(0)
    asked.cancel()
    await asyncio.wait([asked])
    async with asyncio.timeout(PATIENT_SECONDS):
        assert await single.fetchval("SELECT pg_backend_pid()") == backend


async def test_who_finds_none_free_waits_and_is_seen_waiting(
    single: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("impl.db.ACQUIRE_TIMEOUT_SECONDS", 0.2)
    async with single.acquire(timeout=PATIENT_SECONDS) as connection:
        assert single.longest_wait == 0
        waiting = asyncio.ensure_future(single.fetchval("SELECT 1"))
        await connection.fetchval("SELECT 1")
        assert single.longest_wait > 0
        with pytest.raises(TimeoutError):
            await waiting
        assert single.longest_wait == 0
    assert await single.fetchval("SELECT 1") == 1


async def test_a_connection_that_ended_is_not_given_out_again(single: Pool) -> None:
    async with single.acquire() as connection:
        connection.terminate()
    assert await single.fetchval("SELECT 1") == 1


async def test_a_transaction_that_was_left_open_ends_with_its_use(single: Pool) -> None:
    async with single.acquire() as connection:
        await connection.execute("BEGIN")
        await connection.execute("CREATE TABLE left_open ()")
    async with single.acquire() as connection:
        assert not connection.is_in_transaction()
    assert await single.fetchval("SELECT to_regclass('left_open')") is None


async def test_a_begin_that_was_cancelled_leaves_no_transaction(
    single: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL began it, and nobody is there to end it: what comes next would never be
    committed, and be acknowledged."""
    execute = Connection.execute

    async def execute_and_stop(self: Connection, query: str, *given: Any, **options: Any) -> Any:
        await execute(self, query, *given, **options)
        if query.startswith("BEGIN"):
            raise asyncio.CancelledError

    monkeypatch.setattr(Connection, "execute", execute_and_stop)
    with pytest.raises(asyncio.CancelledError):
        async with single.acquire() as connection, connection.transaction():
            pytest.fail("it never began")
    monkeypatch.undo()
    async with single.acquire() as connection:
        assert not connection.is_in_transaction()
        async with connection.transaction():
            await connection.execute("CREATE TABLE committed ()")
        assert not connection.is_in_transaction()
    assert await single.fetchval("SELECT to_regclass('committed')") is not None


async def test_a_transaction_ends_at_the_limit_but_one_that_may_take_longer(
    single: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("impl.db.TRANSACTION_SECONDS", 2.0)
    slow = "SELECT pg_sleep(3)"
    with pytest.raises(LOST):
        await single.fetchval(slow)
    async with long_transaction(single, PATIENT_SECONDS) as connection:
        await connection.fetchval(slow)


async def test_a_process_that_stopped_while_it_read_an_answer_holds_no_lock_for_long(
    single: Pool, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server writes, and nobody reads."""
    monkeypatch.setattr("impl.db.TRANSACTION_SECONDS", 2.0)
    stopped = await single.acquire()
    await stopped.execute("BEGIN; SELECT pg_advisory_xact_lock(1)")
    # In one piece, or else a little room is enough for the server to go on, and to see its limit.
    more_than_fits = await stopped.prepare("SELECT repeat('x', 64000000)")
    answer = asyncio.ensure_future(more_than_fits.fetch())
    await asyncio.sleep(0)  # it is asked; whoever asks also reads
    stopped._con._transport.pause_reading()
    other = await asyncpg.connect(database)
    async with asyncio.timeout(PATIENT_SECONDS):
        await other.execute("SELECT pg_advisory_lock(1)")
    await other.close()
    stopped.terminate()
    with pytest.raises(LOST):
        await answer
