"""Behind a pgbouncer in transaction mode: no statement outlives its transaction."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from impl.db import open_pool
from impl.settings import Settings
from tests.integration.cli.commands import botcore
from tests.pgbouncer import PROGRAM, pgbouncer
from tests.scrape import read
from tests.stack import running_api, scripted_plugin, settings_but, settings_for

HERE = pytest.mark.skipif(PROGRAM is None, reason="no pgbouncer: apt-get install pgbouncer")
SHARED = 2  # connections to the server, for all


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(database, valkey)


@pytest_asyncio.fixture
async def bounced(settings: Settings, tmp_path: Path) -> AsyncIterator[Settings]:
    """As an operator sets it up who has a pgbouncer."""
    direct = settings.database_url.get_secret_value()
    async with pgbouncer(direct, tmp_path, SHARED) as url:
        yield settings_but(
            settings, database_url=url, database_listen_url=direct, database_statement_cache=False
        )


@pytest.mark.parametrize("cached", [False, True])
async def test_nothing_is_prepared_by_name_without_the_cache(
    settings: Settings, cached: bool
) -> None:
    pool = await open_pool(
        settings_but(settings, database_statement_cache=cached, database_pool_size=1)
    )
    try:
        for number in range(3):
            assert await pool.fetchval("SELECT $1::int + 1", number) == number + 1
            assert await pool.fetchval("SELECT $1::jsonb", {"a": number}) == {"a": number}
        named = await pool.fetchval("SELECT count(*) FROM pg_prepared_statements")
    finally:
        await pool.close()
    assert (named > 0) is cached


@pytest.mark.parametrize("own", [False, True])
async def test_sessions_that_others_may_get_are_left_as_they_are(
    settings: Settings, own: bool
) -> None:
    changed = "SELECT name FROM pg_settings WHERE source = 'session' AND name LIKE '%timeout'"
    pool = await open_pool(settings_but(settings, database_statement_cache=own))
    try:
        found = {row["name"] for row in await pool.fetch(changed)}
    finally:
        await pool.close()
    assert found == ({"tcp_user_timeout", "transaction_timeout"} if own else set())


@HERE
async def test_conversations_share_a_few_connections(pool: asyncpg.Pool, bounced: Settings) -> None:
    async with running_api(pool, bounced) as api, scripted_plugin() as plugin:
        await api.add_plugin(plugin.url)
        user = await api.user()

        async def conversation(number: int) -> list[str]:
            dialog = uuid4()
            for text in ("one", "two", "three"):
                answer = await api.say(user, f"{text} {number}", dialog)
                assert answer.status == 200, answer.raw
            found = await api.bot("GET", f"/api/v1/dialogs/{dialog}")
            return [message["payload"]["text"] for message in found.json["messages"]]

        told = await asyncio.gather(*(conversation(number) for number in range(8)))
        for number, texts in enumerate(told):
            assert sorted(texts) == sorted(
                text for word in ("one", "two", "three")
                for text in (f"{word} {number}", f"echo: {word} {number}")
            )  # fmt: skip
        metrics = read((await api.send("GET", "/metrics")).raw)
        used = metrics.value("botcore_database_connections", state="idle") or 0
        assert used > SHARED  # or else nobody shared


@HERE
async def test_commands_do_not_mind_it(bounced: Settings, tmp_path: Path) -> None:
    env = {
        "BOTCORE_DATABASE_URL": bounced.database_url.get_secret_value(),
        "BOTCORE_REDIS_URL": bounced.redis_url.get_secret_value(),
    }
    for words in (("bots", "create", "a"), ("bots", "list")):
        assert (await botcore(*words, env=env, directory=tmp_path)).code == 0
