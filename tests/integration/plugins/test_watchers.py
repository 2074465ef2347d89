"""Several watchers on one database: each outage and each recovery is told once."""

import asyncio
from contextlib import AsyncExitStack

import asyncpg
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from impl.settings import Settings
from tests.integration.plugins.conftest import a_watcher
from tests.integration.plugins.rows import add, beat, until
from tests.integration.plugins.test_watcher import running
from tests.published import undeclared

PLUGINS = 50
ROUNDS = 3
SILENT = """
UPDATE plugins SET registered_at = now() - interval '1 day', last_heartbeat = NULL
"""
COUNTS = """
SELECT plugin_id, event_type, count(*) FROM plugin_events
WHERE event_type <> 'plugin_heartbeat' GROUP BY plugin_id, event_type
"""
TOLD = """
SELECT count(DISTINCT event_id) = count(*), count(*) FROM outbox
WHERE body->>'event_type' IN ('plugin_heartbeat_missed', 'plugin_recovered')
"""


async def test_one_event_for_each_outage_and_each_recovery(
    settings: Settings, pool: asyncpg.Pool
) -> None:
    async def well(_request: web.BaseRequest) -> web.Response:
        return web.json_response({"status": "ok", "version": "1.0.0"})

    async with RawTestServer(well) as server, AsyncExitStack() as stack:
        url = str(server.make_url("/"))
        ids = [await add(pool, url, f"plugin-{number}") for number in range(PLUGINS)]
        for _ in range(2):
            watcher = await stack.enter_async_context(a_watcher(settings))
            await stack.enter_async_context(running(watcher))
        for _ in range(ROUNDS):
            await pool.execute(SILENT)
            await until(pool, "bool_and(status = 'degraded') FROM plugins")
            await asyncio.gather(*(beat(pool, plugin_id) for plugin_id in ids))
            await until(pool, "bool_and(status = 'active') FROM plugins")
    counts = await pool.fetch(COUNTS)
    assert len(counts) == 2 * PLUGINS
    assert {row["count"] for row in counts} == {ROUNDS}
    assert tuple(await pool.fetchrow(TOLD)) == (True, 2 * PLUGINS * ROUNDS)
    audited = await pool.fetchval(
        "SELECT count(*) FROM audit_logs WHERE action = 'plugin_status_changed'"
    )
    assert audited == 2 * PLUGINS * ROUNDS
    assert await undeclared(pool, settings) == []
