from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from impl.settings import Settings
from tests.servers import valkey_server
from tests.stack import settings_for
from tests.wire import Line, line_before


@pytest_asyncio.fixture(scope="session")
async def own_valkey() -> AsyncIterator[str]:
    """A server that only these tests use: they fill it, make it a replica and flush it."""
    async with valkey_server() as url:
        yield url


@pytest.fixture
def redis_url(own_valkey: str) -> str:
    return urlunsplit(urlsplit(own_valkey)._replace(path="/0"))


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """Empty at first."""
    client = Redis.from_url(redis_url, decode_responses=True)
    await client.flushall()
    yield client
    await client.aclose()


@pytest_asyncio.fixture
async def line(redis_url: str) -> AsyncIterator[Line]:
    async with line_before(redis_url) as running:
        yield running


@pytest.fixture
def settings(database: str, line: Line) -> Settings:
    return settings_for(database, line.url, redis_timeout_seconds=0.25)
