"""The relay's statements. Names of streams come from an index, never from a scan of the backlog."""

from dataclasses import dataclass

import asyncpg

from impl.db import Executor

_NAMES = """
RECURSIVE {name} AS (
    (SELECT stream FROM outbox WHERE {waits} ORDER BY stream LIMIT 1)
    UNION ALL
    SELECT (
        SELECT stream FROM outbox WHERE {waits} AND stream > {name}.stream ORDER BY stream LIMIT 1
    )
    FROM {name} WHERE {name}.stream IS NOT NULL
)
"""
_FRESH = _NAMES.format(name="fresh", waits="position IS NULL")
_UNSENT = _NAMES.format(name="unsent", waits="position IS NOT NULL AND published_at IS NULL")

WAITING_STREAMS = f"""
WITH {_FRESH}, {_UNSENT.replace("RECURSIVE ", "")}
SELECT stream FROM fresh WHERE stream IS NOT NULL
UNION
SELECT stream FROM unsent WHERE stream IS NOT NULL
"""  # noqa: S608  # constants of our own

PUBLISHED_STREAMS = "SELECT name AS stream FROM streams WHERE published_position > 0"

# Of the transaction, so that it works behind a pooler and is never left behind.
LOCK_STREAM = "SELECT pg_try_advisory_xact_lock(hashtextextended('botcore.relay.' || $1, 0))"

POSITIONS = """
INSERT INTO streams (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name
RETURNING last_position AS assigned, published_position AS published
"""

ASSIGN_POSITIONS = """
WITH waiting AS (
    SELECT id FROM outbox WHERE stream = $1 AND position IS NULL ORDER BY id LIMIT $2
), fresh AS (
    SELECT id, row_number() OVER (ORDER BY id) AS place FROM waiting
), stream AS (
    UPDATE streams SET last_position = last_position + (SELECT count(*) FROM fresh)
    WHERE name = $1 AND EXISTS (SELECT FROM fresh)
    RETURNING last_position - (SELECT count(*) FROM fresh) AS base
)
UPDATE outbox SET position = stream.base + fresh.place
FROM fresh, stream WHERE outbox.id = fresh.id
"""

# Rows that were numbered but not sent get new numbers, behind what Redis has.
MOVE_BEHIND = """
WITH unnumbered AS (
    UPDATE outbox SET position = NULL
    WHERE stream = $1 AND position IS NOT NULL AND published_at IS NULL
)
UPDATE streams SET last_position = $2, published_position = $2 WHERE name = $1
"""

PUBLISH_AGAIN = """
WITH again AS (
    UPDATE outbox SET published_at = NULL
    WHERE stream = $1 AND position > $2 AND published_at IS NOT NULL
)
UPDATE streams SET published_position = $2 WHERE name = $1
"""

UNPUBLISHED = """
SELECT id, position, body FROM outbox
WHERE stream = $1 AND position IS NOT NULL AND published_at IS NULL ORDER BY position LIMIT $2
"""

MARK_PUBLISHED = """
WITH sent AS (UPDATE outbox SET published_at = now() WHERE id = ANY($2::bigint[]))
UPDATE streams SET published_position = greatest(published_position, $3) WHERE name = $1
"""

# Of the events of calls, those whose dialog was reset since the call was taken in.
FORGOTTEN = """
SELECT outbox.event_id::text FROM outbox
JOIN plugin_calls AS call ON call.plugin_id = (body->>'plugin_id')::uuid
    AND call.invocation_id = (body->'payload'->>'invocation_id')::uuid
JOIN dialogs ON dialogs.id = call.dialog_id
WHERE outbox.id = ANY($1::bigint[]) AND call.reset_version <> dialogs.reset_version
"""


@dataclass(frozen=True, slots=True)
class Positions:
    """Of one stream: the highest position given, and the highest known to have been sent."""

    assigned: int
    published: int


async def waiting_streams(executor: Executor) -> list[str]:
    return [row["stream"] for row in await executor.fetch(WAITING_STREAMS)]


async def published_streams(executor: Executor) -> list[str]:
    return [row["stream"] for row in await executor.fetch(PUBLISHED_STREAMS)]


async def lock_stream(executor: Executor, stream: str) -> bool:
    """Until the transaction ends; False where another relay has it."""
    return bool(await executor.fetchval(LOCK_STREAM, stream))


async def positions(executor: Executor, stream: str) -> Positions:
    return Positions(**await executor.fetchrow(POSITIONS, stream))


async def assign_positions(executor: Executor, stream: str, limit: int) -> None:
    await executor.execute(ASSIGN_POSITIONS, stream, limit)


async def move_behind(executor: Executor, stream: str, position: int) -> None:
    await executor.execute(MOVE_BEHIND, stream, position)


async def publish_again(executor: Executor, stream: str, position: int) -> None:
    await executor.execute(PUBLISH_AGAIN, stream, position)


async def unpublished(executor: Executor, stream: str, limit: int) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await executor.fetch(UNPUBLISHED, stream, limit)
    return rows


async def mark_published(executor: Executor, stream: str, rows: list[asyncpg.Record]) -> None:
    ids = [row["id"] for row in rows]
    await executor.execute(MARK_PUBLISHED, stream, ids, rows[-1]["position"])


async def forgotten(executor: Executor, rows: list[asyncpg.Record]) -> frozenset[str]:
    """The event_ids among `rows` of calls that a reset has overtaken."""
    found = await executor.fetch(FORGOTTEN, [row["id"] for row in rows])
    return frozenset(row["event_id"] for row in found)
