"""Plugins as they stand in the database, and what became of them."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg

from generated import models
from impl.plugins.manifests.canonical import manifest_hash
from impl.plugins.queries import store_heartbeat
from tests.patience import PATIENT_SECONDS
from tests.stack import manifest

INSERT = """
INSERT INTO plugins (name, version, status, base_url, manifest, manifest_hash)
VALUES ($1, '1.0.0', $2, $3, $4, $5) RETURNING id
"""
SILENT = """
UPDATE plugins SET registered_at = now() - interval '1 day',
    last_heartbeat = last_heartbeat - interval '1 day' WHERE id = $1
"""


async def add(
    pool: asyncpg.Pool,
    url: str,
    name: str = "weather",
    status: str = "active",
    described: dict[str, Any] | None = None,
) -> UUID:
    raw = described or manifest(name)
    plugin_id: UUID = await pool.fetchval(INSERT, name, status, url, raw, manifest_hash(raw))
    return plugin_id


async def fall_silent(pool: asyncpg.Pool, plugin_id: UUID) -> None:
    await pool.execute(SILENT, plugin_id)


async def beat(
    pool: asyncpg.Pool, plugin_id: UUID, status: models.PluginHeartbeatStatus = "active"
) -> str | None:
    body = models.PluginHeartbeatRequestV1(plugin_id=plugin_id, status=status)
    trace = "7f1d2c3e-5b6a-4c8d-9e0f-112233445566"
    return await store_heartbeat(
        pool, token_plugin_id=plugin_id, plugin_id=plugin_id, body=body, trace_id=trace
    )


async def until(pool: asyncpg.Pool, condition: str, *values: object) -> None:
    """Until the SQL `condition` is true."""
    async with asyncio.timeout(PATIENT_SECONDS):
        while not await pool.fetchval(f"SELECT {condition}", *values):  # noqa: ASYNC110  # a test's own; the database's
            await asyncio.sleep(0.01)


async def probed_twice(pool: asyncpg.Pool, plugin_id: UUID) -> None:
    """Until two probes have ended, of which at least the second began after this call."""
    probing = "(SELECT probe_claim IS DISTINCT FROM $2 FROM plugins WHERE id = $1)"
    for _ in range(3):
        claim = await pool.fetchval("SELECT probe_claim FROM plugins WHERE id = $1", plugin_id)
        await until(pool, probing, plugin_id, claim)


async def events(pool: asyncpg.Pool, plugin_id: UUID) -> list[str]:
    rows = await pool.fetch(
        "SELECT event_type FROM plugin_events WHERE plugin_id = $1"
        " AND event_type <> 'plugin_heartbeat' ORDER BY created_at",
        plugin_id,
    )
    return [row["event_type"] for row in rows]


async def changes(pool: asyncpg.Pool, plugin_id: UUID) -> list[tuple[str, str, str]]:
    """Of its status, as the audit trail tells them: from, to, reason."""
    rows = await pool.fetch(
        "SELECT details FROM audit_logs WHERE action = 'plugin_status_changed'"
        " AND details->>'plugin_id' = $1 ORDER BY id",
        str(plugin_id),
    )
    found = [row["details"] for row in rows]
    return [(one["from"], one["to"], one["reason"]) for one in found]
