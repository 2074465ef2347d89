"""What the doctor asks the database: each by an index, or of few rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from impl.db import Executor
from impl.metrics.queries import LAGS, MOST

SERVER = """
SELECT current_setting('server_version') AS version,
    current_setting('server_version_num')::int / 10000 AS major,
    current_setting('max_connections')::int AS most,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used
"""

MIGRATED = "SELECT to_regclass('migrations_info') IS NOT NULL"
REVISION = "SELECT version_num FROM migrations_info"

CLOCK = "SELECT clock_timestamp()"

STATE = """
SELECT extract(epoch FROM clock_timestamp() - looked_at)::float8 AS looked_ago, degraded_since,
    degraded_reason AS reason
FROM core_state
"""

LAG = f"WITH {LAGS} SELECT stream, seconds FROM lag ORDER BY seconds DESC"  # noqa: S608  # constants of our own

# The newest row that was sent is near the table's end.
OUTBOX = f"""
SELECT (SELECT count(*) FROM (
        SELECT FROM outbox WHERE position IS NULL LIMIT {MOST}) AS rows)
    + (SELECT count(*) FROM (SELECT FROM outbox
        WHERE position IS NOT NULL AND published_at IS NULL LIMIT {MOST}) AS rows) AS waiting,
    (SELECT published_at FROM outbox WHERE published_at IS NOT NULL
        ORDER BY id DESC LIMIT 1) AS newest
"""  # noqa: S608  # a constant of our own

QUEUE = f"""
WITH queued AS (SELECT queued_at, available_at FROM plugin_calls WHERE status = 'queued'
    ORDER BY available_at LIMIT {MOST})
SELECT count(*) AS waiting,
    coalesce(extract(epoch FROM now() - min(queued_at)), 0)::float8 AS oldest,
    greatest(coalesce(extract(epoch FROM now() - min(available_at)), 0), 0)::float8 AS overdue,
    (SELECT count(*) FROM (SELECT FROM plugin_calls WHERE status = 'in_progress'
        AND lease_until < now() - make_interval(secs => $1) LIMIT {MOST}) AS rows) AS lost
FROM queued
"""  # noqa: S608  # a constant of our own

PLUGINS = """
SELECT name || '@' || version AS plugin, name, status, is_fallback, outage_since, outage_reason,
    disabled_at, served_manifest_hash IS DISTINCT FROM manifest_hash
        AND served_manifest_hash IS NOT NULL AS differs
FROM plugins WHERE deleted_at IS NULL ORDER BY name, version
"""


@dataclass(frozen=True, slots=True)
class Server:
    version: str
    major: int
    most: int
    used: int


@dataclass(frozen=True, slots=True)
class State:
    looked_ago: float
    degraded_since: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Outbox:
    waiting: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class Queue:
    """Counts up to MOST, times in seconds: of the oldest call, and of what could be made."""

    waiting: int
    oldest: float
    overdue: float
    lost: int


@dataclass(frozen=True, slots=True)
class Plugin:
    plugin: str
    name: str
    status: str
    is_fallback: bool
    outage_since: datetime | None
    outage_reason: str | None
    disabled_at: datetime | None
    differs: bool


async def server(executor: Executor) -> Server:
    return Server(**await executor.fetchrow(SERVER))


async def revision(executor: Executor) -> str | None:
    """None where there are no tables."""
    if not await executor.fetchval(MIGRATED):
        return None
    found: str | None = await executor.fetchval(REVISION)
    return found


async def clock(executor: Executor) -> datetime:
    found: datetime = await executor.fetchval(CLOCK)
    return found


async def state(executor: Executor) -> State | None:
    row = await executor.fetchrow(STATE)
    return None if row is None else State(**row)


async def lags(executor: Executor) -> dict[str, float]:
    return {row["stream"]: row["seconds"] for row in await executor.fetch(LAG)}


async def outbox(executor: Executor) -> Outbox:
    return Outbox(**await executor.fetchrow(OUTBOX))


async def queue(executor: Executor, grace_seconds: float) -> Queue:
    return Queue(**await executor.fetchrow(QUEUE, grace_seconds))


async def plugins(executor: Executor) -> list[Plugin]:
    rows: list[Any] = await executor.fetch(PLUGINS)
    return [Plugin(**row) for row in rows]
