"""tools/smoke.sh says what does not answer, and ends so that a pipeline sees it."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest_asyncio

from tests.ports import spare_port
from tests.smoke import smoke
from tests.stack import Api, ScriptedPlugin, running_api, scripted_plugin, settings_for


@pytest_asyncio.fixture
async def api(pool: asyncpg.Pool, database: str, valkey: str) -> AsyncIterator[Api]:
    async with running_api(pool, settings_for(database, valkey)) as running:
        yield running


@pytest_asyncio.fixture
async def plugin() -> AsyncIterator[ScriptedPlugin]:
    async with scripted_plugin() as running:
        yield running


async def test_it_says_what_is_missing() -> None:
    for words, variables, said in (
        ([], {"BOT_TOKEN": "x"}, "name the deployment"),
        (["http://127.0.0.1:1"], {}, "set BOTCORE_BOT_TOKEN"),
    ):
        ended = await smoke(*words, **variables)
        assert ended.code == 2
        assert said in ended.told


async def test_nobody_there_is_told() -> None:
    ended = await smoke(f"http://127.0.0.1:{spare_port()}", BOT_TOKEN="x")
    assert (ended.code, "✗ health" in ended.told) == (1, True)


async def test_what_fails_is_told_with_its_trace(
    api: Api, plugin: ScriptedPlugin, tmp_path: Path
) -> None:
    refused = await smoke(api.url, BOT_TOKEN="bc_bot_nobody")
    assert (refused.code, "✗ a user: not answered 200 201" in refused.told) == (1, True)
    assert "invalid_credentials" in refused.told
    assert "trace id: " in refused.told
    token = tmp_path / "token"
    token.write_text(api.bot_token)
    silent = await smoke(api.url, BOT_TOKEN_FILE=str(token))
    assert (silent.code, "it is failed, not accepted" in silent.told) == (1, True)
    assert api.bot_token not in silent.told

    await api.add_plugin(plugin.url)
    good = await smoke(f"{api.url}/", BOT_TOKEN=api.bot_token)
    assert good.code == 0, good.told
    assert "echo: smoke" in good.told
