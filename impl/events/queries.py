"""The relay's statements. Names of streams come from an index, never from a scan of the backlog."""

from dataclasses import dataclass

import asyncpg

from impl.db import Executor

# Of a user who was erased a row keeps nothing but its place, and waits until its entry is gone.
ERASED = "(body = '{}')"

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

UNSENT_STREAMS = f"""
WITH {_UNSENT} SELECT stream FROM unsent WHERE stream IS NOT NULL
"""  # noqa: S608  # constants of our own

PUBLISHED_STREAMS = "SELECT name AS stream FROM streams WHERE published_position > 0"

# A relay that is stopped amid its work holds its lock no longer than this.
FROZEN_SECONDS = 5
_SHORT = f"set_config('idle_in_transaction_session_timeout', '{FROZEN_SECONDS}s', true)"

# Of the transaction, so that they work behind a pooler and are never left behind.
LOCK_STREAM = f"""
SELECT pg_try_advisory_xact_lock(hashtextextended('botcore.relay.' || $1, 0)) AS locked, {_SHORT}
"""
_NUMBERING = "hashtextextended('botcore.relay', 0)"
LOCK_NUMBERING = f"SELECT pg_try_advisory_xact_lock({_NUMBERING}) AS locked, {_SHORT}"
AWAIT_NUMBERING = f"SELECT pg_advisory_xact_lock({_NUMBERING})"

POSITIONS = """
SELECT last_position AS assigned, published_position AS published FROM streams WHERE name = $1
"""

ANY_UNNUMBERED = "SELECT EXISTS (SELECT FROM outbox WHERE position IS NULL)"

# Every stream's next rows get their positions in it, and the events of plugins their places in the
# feed. A relay of 0.1 does not know the lock: what it has numbered meanwhile is left as it is.
NUMBER = f"""
WITH {_FRESH}, waiting AS (
    SELECT found.*, row_number() OVER (PARTITION BY found.stream ORDER BY found.id) AS place
    FROM fresh CROSS JOIN LATERAL (
        SELECT id, stream FROM outbox WHERE stream = fresh.stream AND position IS NULL
        ORDER BY id LIMIT $1
    ) AS found
), sizes AS (
    SELECT stream, count(*) AS size FROM waiting GROUP BY stream
), grown AS (
    INSERT INTO streams AS known (name, last_position) SELECT stream, size FROM sizes
    ON CONFLICT (name) DO UPDATE SET last_position = known.last_position + excluded.last_position
    RETURNING name, last_position
), numbered AS (
    UPDATE outbox SET position = grown.last_position - sizes.size + waiting.place
    FROM waiting JOIN sizes USING (stream) JOIN grown ON grown.name = waiting.stream
    WHERE outbox.id = waiting.id AND outbox.position IS NULL
    RETURNING outbox.id, outbox.event_id, outbox.body->>'plugin_id' AS plugin_id
), told AS (
    INSERT INTO feed (event_id)
    SELECT event_id FROM numbered WHERE plugin_id IS NOT NULL ORDER BY id
)
SELECT count(*) FROM numbered
"""  # noqa: S608  # constants of our own

# Rows that were numbered but not sent get new numbers, behind what Redis has and what was given.
# What was sent before it was erased is looked for where it is.
MOVE_BEHIND = f"""
WITH behind AS (
    SELECT greatest(last_position, $2) AS position, published_position AS sent
    FROM streams WHERE name = $1 FOR NO KEY UPDATE
), unsent AS (
    SELECT id, row_number() OVER (ORDER BY outbox.position) AS place FROM outbox, behind
    WHERE stream = $1 AND outbox.position IS NOT NULL AND published_at IS NULL
        AND NOT ({ERASED} AND outbox.position <= sent)
), moved AS (
    UPDATE outbox SET position = behind.position + unsent.place FROM unsent, behind
    WHERE outbox.id = unsent.id RETURNING outbox.id
)
UPDATE streams SET last_position = behind.position + (SELECT count(*) FROM moved),
    published_position = $2
FROM behind WHERE name = $1
"""  # noqa: S608  # a constant of our own

# A whole window at once takes longer than any statement may: the stream counts as sent until the
# last of its rows waits again.
PUBLISH_AGAIN = """
WITH again AS (
    UPDATE outbox SET published_at = NULL WHERE id IN (
        SELECT id FROM outbox WHERE stream = $1 AND position > $2 AND published_at IS NOT NULL
        ORDER BY position LIMIT $3
    ) RETURNING id
)
UPDATE streams SET published_position = $2 WHERE name = $1 AND (SELECT count(*) FROM again) < $3
"""
AGAIN_AT_ONCE = 5000

UNPUBLISHED = """
SELECT id, position, event_id, body FROM outbox
WHERE stream = $1 AND position IS NOT NULL AND published_at IS NULL ORDER BY position LIMIT $2
"""

# What was erased since it was read waits on: it is in the stream now, and must be taken out again.
MARK_PUBLISHED = f"""
WITH sent AS (
    UPDATE outbox SET published_at = now()
    WHERE id = ANY($2::bigint[]) AND ({ERASED} = (id = ANY($4::bigint[])))
)
UPDATE streams SET published_position = greatest(published_position, $3) WHERE name = $1
"""  # noqa: S608  # a constant of our own

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


async def unsent_streams(executor: Executor) -> list[str]:
    return [row["stream"] for row in await executor.fetch(UNSENT_STREAMS)]


async def published_streams(executor: Executor) -> list[str]:
    return [row["stream"] for row in await executor.fetch(PUBLISHED_STREAMS)]


async def lock_stream(executor: Executor, stream: str) -> bool:
    """Until the transaction ends; False where another relay has it."""
    return bool(await executor.fetchval(LOCK_STREAM, stream))


async def lock_numbering(executor: Executor) -> bool:
    """Until the transaction ends; False where another relay numbers."""
    return bool(await executor.fetchval(LOCK_NUMBERING))


async def any_unnumbered(executor: Executor) -> bool:
    return bool(await executor.fetchval(ANY_UNNUMBERED))


async def number(executor: Executor, limit: int) -> int:
    """The next `limit` rows of each stream; the caller has `lock_numbering`."""
    numbered: int = await executor.fetchval(NUMBER, limit)
    return numbered


async def positions(executor: Executor, stream: str) -> Positions:
    row = await executor.fetchrow(POSITIONS, stream)
    return Positions(0, 0) if row is None else Positions(**row)


async def move_behind(executor: Executor, stream: str, position: int) -> None:
    """Nobody numbers meanwhile, or what is newer would come before what is moved."""
    await executor.execute(AWAIT_NUMBERING)
    await executor.execute(MOVE_BEHIND, stream, position)


async def publish_again(
    executor: Executor, stream: str, position: int, most: int = AGAIN_AT_ONCE
) -> None:
    """Some of what was sent after `position`. It is all when `positions` says so."""
    await executor.execute(PUBLISH_AGAIN, stream, position, most)


async def unpublished(executor: Executor, stream: str, limit: int) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await executor.fetch(UNPUBLISHED, stream, limit)
    return rows


async def mark_published(executor: Executor, stream: str, rows: list[asyncpg.Record]) -> None:
    ids = [row["id"] for row in rows]
    erased = [row["id"] for row in rows if not row["body"]]
    await executor.execute(MARK_PUBLISHED, stream, ids, rows[-1]["position"], erased)


async def forgotten(executor: Executor, rows: list[asyncpg.Record]) -> frozenset[str]:
    """The event_ids among `rows` of calls that a reset has overtaken."""
    found = await executor.fetch(FORGOTTEN, [row["id"] for row in rows])
    return frozenset(row["event_id"] for row in found)
