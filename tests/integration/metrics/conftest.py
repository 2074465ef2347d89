from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from impl.settings import Settings
from tests.stack import Api, ScriptedPlugin, running_api, scripted_plugin, settings_for


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(database, valkey)


@pytest_asyncio.fixture
async def api(pool: asyncpg.Pool, settings: Settings) -> AsyncIterator[Api]:
    """The API on a database of this test's own."""
    async with running_api(pool, settings) as running:
        yield running


@pytest_asyncio.fixture
async def plugin() -> AsyncIterator[ScriptedPlugin]:
    async with scripted_plugin() as running:
        yield running


@pytest_asyncio.fixture
async def text_reply(api: Api, plugin: ScriptedPlugin) -> ScriptedPlugin:
    """`plugin`, registered as the fallback."""
    await api.add_plugin(plugin.url)
    return plugin
