from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from impl.settings import Settings
from impl.tokens.issue import issue
from tests.integration.api.operator import BOT_SCOPES, PLUGIN_SCOPES, Operator
from tests.integration.tokens.rows import make_bot, make_plugin
from tests.stack import Answer, Api, ScriptedPlugin, running_api, scripted_plugin, settings_for


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


Admin = Callable[..., Awaitable[Answer]]


@pytest_asyncio.fixture
async def admin(api: Api, pool: asyncpg.Pool) -> Admin:
    """Sends a request below /api/v1/admin with a key of every scope."""
    key = await issue(pool, "admin", scopes=["audit:read", "limits:manage", "plugins:manage"])

    async def send(method: str, path: str, **options: Any) -> Answer:
        headers = {"X-Admin-Key": key.plaintext, **options.pop("headers", {})}
        return await api.send(method, f"/api/v1/admin{path}", headers=headers, **options)

    return send


@pytest_asyncio.fixture(params=["bots", "plugins"])
async def operator(request: pytest.FixtureRequest, api: Api, pool: asyncpg.Pool) -> Operator:
    key = await issue(pool, "admin", scopes=[f"{request.param}:manage"])
    if request.param == "bots":
        return Operator(api, key.plaintext, f"bots/{await make_bot(pool)}", BOT_SCOPES)
    plugin_id = await make_plugin(pool, *PLUGIN_SCOPES)
    return Operator(api, key.plaintext, f"plugins/{plugin_id}", PLUGIN_SCOPES)
