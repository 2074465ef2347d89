"""A command that may open more connections than the database permits says so."""

import asyncpg
import pytest
from structlog.testing import capture_logs

from impl.connections import warn_if_few
from impl.settings import Settings
from tests.stack import settings_but, settings_for

PERMITTED = 197  # of 200, less what is the superusers'


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(database, valkey, database_pool_size=9)


async def told(pool: asyncpg.Pool, settings: Settings, processes: int) -> list[object]:
    with capture_logs() as lines:
        await warn_if_few(pool, settings, processes)
    return [line for line in lines if line["event"] == "few_database_connections"]


async def test_it_is_told_beyond_what_is_permitted(pool: asyncpg.Pool, settings: Settings) -> None:
    assert await told(pool, settings, PERMITTED // 10) == []
    (line,) = await told(pool, settings, PERMITTED // 10 + 1)
    assert isinstance(line, dict)
    assert (line["wanted"], line["permitted"]) == (200, PERMITTED)


async def test_behind_a_pgbouncer_nothing_is_told(pool: asyncpg.Pool, settings: Settings) -> None:
    pooled = settings_but(settings, database_statement_cache=False)
    assert await told(pool, pooled, 64) == []


async def test_without_a_database_nothing_is_told(pool: asyncpg.Pool, settings: Settings) -> None:
    await pool.close()
    assert await told(pool, settings, 64) == []
