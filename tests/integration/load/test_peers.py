"""The peers of `make bench` answer, and store what the core stores, column by column."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest_asyncio

from impl.local.guardian import Guardian
from tests.integration.tokens.rows import make_bot, make_plugin
from tests.load.bench.pgbench import run_pgbench
from tests.load.bench.rows import count_rows, stored_since
from tests.load.bench.stage import peer, plugin_server
from tests.load.peers.settings import PeerSettings
from tests.stack import Api, running_api, settings_for

# The rows of one message, in the order in which they came.
ROWS = {
    "dialogs": "SELECT * FROM dialogs WHERE id = $1",
    "message_keys": "SELECT * FROM message_keys WHERE dialog_id = $1",
    "messages": "SELECT * FROM messages WHERE dialog_id = $1 ORDER BY seq",
    "plugin_calls": "SELECT * FROM plugin_calls WHERE dialog_id = $1",
    "plugin_events": "SELECT * FROM plugin_events WHERE dialog_id = $1 ORDER BY occurred_at",
    "audit_logs": """SELECT * FROM audit_logs
        WHERE details ->> 'dialog_id' = $1::uuid::text ORDER BY id""",
    "outbox": "SELECT * FROM outbox WHERE body ->> 'dialog_id' = $1::uuid::text ORDER BY id",
}
VARYING = {
    "an id": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "a hash": re.compile(r"[0-9a-f]{64}"),
    "a time": re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(\+00:00|Z)"),
}


@pytest_asyncio.fixture
async def places(
    database: str, pool: asyncpg.Pool, valkey: str, tmp_path: Path
) -> AsyncIterator[tuple[dict[str, str], Api]]:
    """URLs of the core and its peers, all on one database and before one plugin."""
    async with AsyncExitStack() as stack:
        guardian = await stack.enter_async_context(Guardian())
        plugin = await stack.enter_async_context(plugin_server(tmp_path, guardian.group))
        settings = settings_for(database, valkey)
        api = await stack.enter_async_context(running_api(pool, settings))
        registered = await api.add_plugin(plugin.url)
        theirs = PeerSettings(database, api.bot_id, UUID(registered["plugin_id"]), plugin.url)
        urls = {"core": api.url}
        for name in ("floor", "idiomatic"):
            started = peer(name, theirs, tmp_path, guardian.group)
            urls[name], _ = await stack.enter_async_context(started)
        yield urls, api


async def test_all_store_the_same(places: tuple[dict[str, str], Api], pool: asyncpg.Pool) -> None:
    urls, api = places
    user_id = await api.user()
    stored, told = {}, {}
    for name, url in urls.items():
        dialog_id = uuid4()
        told[name] = await say(api, url, user_id, dialog_id)
        stored[name] = {table: [shape(dict(row)) for row in await pool.fetch(query, dialog_id)]
                        for table, query in ROWS.items()}  # fmt: skip
    for name in urls:
        assert told[name] == told["core"]
        for table in ROWS:
            assert stored[name][table] == stored["core"][table], (name, table)


async def test_pgbench_stores_the_rows_of_the_floor(
    database: str, pool: asyncpg.Pool, tmp_path: Path
) -> None:
    bot_id, plugin_id = await make_bot(pool), await make_plugin(pool)
    user_id = await pool.fetchval("INSERT INTO users (telegram_id) VALUES (7) RETURNING id")
    settings = PeerSettings(database, bot_id, plugin_id, "")
    before = await count_rows(database)
    load = await run_pgbench(database, settings, user_id, tmp_path, connections=1, seconds=1)
    rows = await stored_since(database, before)
    assert rows.whole
    assert rows.messages == load.acknowledged


async def say(api: Api, url: str, user_id: str, dialog_id: UUID) -> Any:
    body = {"user_id": user_id, "message_id": "m-1", "payload": {"type": "text", "text": "Hello!"}}
    path = f"{url}/api/v1/dialogs/{dialog_id}/messages"
    headers = {"X-Bot-Token": api.bot_token}
    async with api.session.post(path, json=body, headers=headers) as response:
        assert response.status == 200, await response.read()
        return shape(await response.json())


def shape(value: Any) -> Any:
    """`value` with a word for what is another each time."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value]
    if isinstance(value, bytes):
        return shape(json.loads(value)) if value.startswith(b"{") else len(value)
    if isinstance(value, str):
        for word, pattern in VARYING.items():
            value = pattern.sub(word, value)
        return value
    if isinstance(value, (UUID, datetime)) or type(value) is int:
        return type(value).__name__
    return value
