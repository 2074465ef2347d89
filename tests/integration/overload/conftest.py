"""The server of `botcore serve`, with bounds that a test can reach."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from impl.serve import Server
from impl.settings import Settings
from tests.integration.overload.figures import Figures
from tests.stack import (
    Api,
    ScriptedPlugin,
    quiet_server,
    running_api,
    scripted_plugin,
    settings_for,
)


@pytest.fixture
def changes() -> dict[str, Any]:
    """Of the settings; a test parametrizes them."""
    return {}


@pytest.fixture
def settings(database: str, valkey: str, changes: dict[str, Any]) -> Settings:
    return settings_for(database, valkey, port=0, unready_seconds=0, drain_seconds=4, **changes)


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Server:
    return quiet_server(settings, monkeypatch)


@pytest.fixture
def figures(server: Server) -> Figures:
    return Figures(server)


@pytest_asyncio.fixture
async def api(pool: asyncpg.Pool, settings: Settings, server: Server) -> AsyncIterator[Api]:
    async with running_api(pool, settings, server=server) as running:
        yield running


@pytest_asyncio.fixture
async def text_reply(api: Api) -> AsyncIterator[ScriptedPlugin]:
    async with scripted_plugin() as plugin:
        await api.add_plugin(plugin.url)
        yield plugin
