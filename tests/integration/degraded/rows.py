"""The row of `core_state` and the outbox as a test wants them, and what was told."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import orjson

from impl.degraded.queries import Found, Rules, look
from tests.integration.api.test_relay import heartbeat
from tests.patience import PATIENT_SECONDS

# So large that what a busy machine takes between two statements decides nothing.
RULES = Rules(redis=300, lag=100, recovery=100, look=10)
EVENTS = ("core_degraded", "core_recovered")
TOLD = """
SELECT array(SELECT action FROM audit_logs WHERE action = ANY($1) ORDER BY id),
    array(SELECT body->>'event_type' FROM outbox WHERE body->>'event_type' = ANY($1) ORDER BY id)
"""


async def ago(pool: asyncpg.Pool, **seconds: float) -> None:
    """Sets each column to so many seconds ago; the last look was just now."""
    values = {"looked_at": 0.0, "watched_since": 3600.0, **seconds}
    changes = ", ".join(
        f"{name} = clock_timestamp() - make_interval(secs => {value})"
        for name, value in values.items()
    )
    await pool.execute(f"UPDATE core_state SET {changes}")


async def degrade(pool: asyncpg.Pool, reason: str = "redis") -> None:
    await pool.execute(
        "UPDATE core_state SET degraded_since = now() - interval '1 minute', degraded_reason = $1",
        reason,
    )


async def event_waits(pool: asyncpg.Pool, seconds: float) -> None:
    body = heartbeat(1)
    await pool.execute(
        "INSERT INTO outbox (event_id, stream, body, created_at) VALUES"
        " ($1::uuid, 'plugin:events', $2::jsonb, now() - make_interval(secs => $3))",
        body["event_id"],
        body,
        seconds,
    )


async def looked(pool: asyncpg.Pool, *, redis: bool, rules: Rules = RULES) -> Found:
    return await look(pool, rules, redis=redis, trace_id=str(uuid4()))


async def told(pool: asyncpg.Pool) -> list[str]:
    """The transitions in order, as the audit log and the outbox both have them."""
    audited, sent = await pool.fetchrow(TOLD, EVENTS)
    assert sent == audited
    names: list[str] = audited
    return names


async def payload(pool: asyncpg.Pool, event: str) -> Any:
    found = await pool.fetchval(
        "SELECT body->'payload' FROM outbox WHERE body->>'event_type' = $1", event
    )
    return orjson.loads(found) if isinstance(found, str) else found


async def until_told(pool: asyncpg.Pool, names: list[str]) -> None:
    async with asyncio.timeout(PATIENT_SECONDS):
        while await told(pool) != names:  # noqa: ASYNC110  # nothing to wait on but the rows
            await asyncio.sleep(0.02)
