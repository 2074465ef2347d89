from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_asyncio
from redis.asyncio import Redis

# Of the server's databases one that only these tests use: they empty it.
DATABASE = "/7"


@pytest.fixture
def redis_url(valkey: str) -> str:
    return urlunsplit(urlsplit(valkey)._replace(path=DATABASE))


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of a database of its own, empty at first."""
    client = Redis.from_url(redis_url, decode_responses=True)
    await client.flushdb()
    yield client
    await client.aclose()
