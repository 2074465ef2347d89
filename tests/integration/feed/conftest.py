from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from impl.events.relay import Relay
from impl.feed.places import Places
from impl.settings import Settings
from impl.tokens.issue import issue
from tests.integration.feed.following import Follower, Reporter, numbering
from tests.integration.tokens.rows import make_plugin
from tests.stack import Api, running_api, settings_for


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(database, valkey, event_streams_per_token=3)


@pytest_asyncio.fixture
async def api(pool: asyncpg.Pool, settings: Settings) -> AsyncIterator[Api]:
    async with running_api(pool, settings) as running:
        yield running


@pytest_asyncio.fixture(autouse=True)
async def worker(pool: asyncpg.Pool, settings: Settings) -> AsyncIterator[Relay]:
    async with numbering(pool, settings) as relay:
        yield relay


@pytest_asyncio.fixture
async def plugin(pool: asyncpg.Pool) -> Reporter:
    return Reporter(pool, await make_plugin(pool, "telemetry:read"))


@pytest.fixture
def places(settings: Settings) -> Places:
    return Places(settings.secret_key.get_secret_value())


@pytest_asyncio.fixture
async def operator(api: Api, pool: asyncpg.Pool) -> Follower:
    key = await issue(pool, "admin", scopes=["telemetry:read"])
    return Follower(api.session, {"X-Admin-Key": key.plaintext})


Follow = Callable[[UUID], Awaitable[Follower]]


@pytest_asyncio.fixture
async def follow_as(api: Api, pool: asyncpg.Pool) -> Follow:
    """A follower with a token of the plugin."""

    async def made(plugin_id: UUID) -> Follower:
        token = await issue(pool, "plugin", subject_id=plugin_id, scopes=["telemetry:read"])
        return Follower(api.session, {"Authorization": f"Bearer {token.plaintext}"})

    return made
