"""A watcher on a fresh database, and plugins that it watches."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio

from generated.metrics import Metrics, make_metrics
from impl.db import open_pool
from impl.plugins.caller import PluginCaller
from impl.plugins.watcher.watcher import Watcher
from impl.settings import Settings
from tests.published import undeclared
from tests.stack import ScriptedPlugin, scripted_plugin, settings_for


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    """Quick to look and to probe; nobody is silent but where a test moves the times back."""
    return settings_for(
        database,
        valkey,
        watch_seconds=0.02,
        probe_interval_seconds=0.02,
        heartbeat_missed_seconds=3600,
    )


@pytest_asyncio.fixture
async def plugin() -> AsyncIterator[ScriptedPlugin]:
    async with scripted_plugin() as running:
        yield running


@asynccontextmanager
async def a_watcher(settings: Settings) -> AsyncIterator[Watcher]:
    """With resources of its own, as in a worker; it does not run by itself."""
    async with AsyncExitStack() as stack:
        pool = await open_pool(settings)
        stack.push_async_callback(pool.close)
        metrics = make_metrics()
        caller = PluginCaller(settings, metrics)
        stack.push_async_callback(caller.close)
        yield Watcher(pool, caller, settings, metrics)


@pytest_asyncio.fixture
async def watcher(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Watcher]:
    """What it published meanwhile is held against the contract in the end."""
    async with a_watcher(settings) as made:
        yield made
    assert await undeclared(pool, settings) == []


def counted(metrics: Metrics) -> Callable[..., float | None]:
    def read(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"botcore_{name}", labels)

    return read
