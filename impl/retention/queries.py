"""Removing old rows. Each statement takes a batch, the oldest first, by an index."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from impl.db import Executor

# One at a time, whatever the number of workers and commands.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('botcore.retention', 0))"

_OLD = "created_at < now() - make_interval(days => $1)"

# By the table's owner: the application itself may remove no audit row (migration 0011).
REMOVE_AUDIT = "SELECT remove_old_audit($1, $2)"
COUNT_AUDIT = f"SELECT count(*) FROM audit_logs WHERE {_OLD}"  # noqa: S608  # constants of our own

# The last row that goes stays in the feed, as the mark below which nothing is kept.
REMOVE_EVENTS = f"""
WITH old AS (
    SELECT position, event_id FROM (SELECT * FROM feed ORDER BY position LIMIT $2 + 1) AS lowest
    WHERE {_OLD}
), told AS (
    DELETE FROM feed USING old WHERE feed.position = old.position
        AND old.position < (SELECT max(position) FROM old)
), removed AS (
    DELETE FROM plugin_events USING old WHERE plugin_events.id = old.event_id
    RETURNING plugin_events.id
)
SELECT count(*) AS removed, (SELECT count(*) FROM old) > 1 AS more FROM removed
"""  # noqa: S608  # constants of our own
COUNT_EVENTS = f"""
SELECT count(*) FROM plugin_events WHERE id IN (SELECT event_id FROM feed WHERE {_OLD})
"""  # noqa: S608  # constants of our own

PUBLISHED = "SELECT name, published_position FROM streams WHERE published_position > 0"
# Counted, not reckoned from positions, which may have gaps: exactly so many are kept.
WINDOW = """
SELECT position FROM outbox WHERE stream = $1 AND position IS NOT NULL AND published_at IS NOT NULL
ORDER BY position DESC OFFSET $2 LIMIT 1
"""
# What no notification was made of yet stays, wherever the relay is.
_BEYOND = """stream = $1 AND position <= $2 AND published_at IS NOT NULL
    AND id <= (SELECT outbox_id FROM notification_cursor)"""
REMOVE_PUBLISHED = f"""
WITH removed AS (
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox WHERE {_BEYOND} ORDER BY position LIMIT $3
    ) RETURNING id
)
SELECT count(*) FROM removed
"""  # noqa: S608  # constants of our own
COUNT_PUBLISHED = f"SELECT count(*) FROM outbox WHERE {_BEYOND}"  # noqa: S608  # constants of our own

# A message that is still there could not be stored a second time, and its answer is read by its
# key: so the key lives as long. A reset deletes messages, and leaves their keys for a while.
_FORGOTTEN = """NOT EXISTS (
        SELECT FROM messages
        WHERE messages.dialog_id = key.dialog_id AND messages.message_id = key.message_id
    )"""
REMOVE_KEYS = f"""
WITH page AS (
    SELECT created_at, dialog_id, message_id FROM message_keys
    WHERE {_OLD} AND (created_at, dialog_id, message_id) > ($3, $4, $5)
    ORDER BY created_at, dialog_id, message_id LIMIT $2
), removed AS (
    DELETE FROM message_keys AS key USING page
    WHERE key.dialog_id = page.dialog_id AND key.message_id = page.message_id AND {_FORGOTTEN}
    RETURNING key.dialog_id
)
SELECT (SELECT count(*) FROM removed) AS removed, created_at, dialog_id, message_id FROM page
ORDER BY created_at DESC, dialog_id DESC, message_id DESC LIMIT 1
"""  # noqa: S608  # constants of our own
COUNT_KEYS = f"SELECT count(*) FROM message_keys AS key WHERE {_OLD} AND {_FORGOTTEN}"  # noqa: S608  # constants of our own


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """A key's place in the order of their ages."""

    created_at: datetime
    dialog_id: UUID
    message_id: str


async def lock(executor: Executor) -> None:
    """Until the transaction ends."""
    await executor.execute(LOCK)


async def remove_audit(executor: Executor, days: int, limit: int) -> int:
    removed: int = await executor.fetchval(REMOVE_AUDIT, days, limit)
    return removed


async def remove_events(executor: Executor, days: int, limit: int) -> tuple[int, bool]:
    """How many, and whether there may be more."""
    row = await executor.fetchrow(REMOVE_EVENTS, days, limit)
    return row["removed"], row["more"]


async def published_streams(executor: Executor) -> dict[str, int]:
    """Each stream's last position that was sent."""
    return {row["name"]: row["published_position"] for row in await executor.fetch(PUBLISHED)}


async def window(executor: Executor, stream: str, kept: int) -> int | None:
    """The highest position beyond the newest `kept` ones; None where there are no more."""
    position: int | None = await executor.fetchval(WINDOW, stream, kept)
    return position


async def remove_published(executor: Executor, stream: str, upto: int, limit: int) -> int:
    removed: int = await executor.fetchval(REMOVE_PUBLISHED, stream, upto, limit)
    return removed


async def remove_keys(
    executor: Executor, days: int, limit: int, after: KeyPlace
) -> tuple[int, KeyPlace | None]:
    """How many, and up to where it looked; None where there are no more."""
    row = await executor.fetchrow(
        REMOVE_KEYS, days, limit, after.created_at, after.dialog_id, after.message_id
    )
    if row is None:
        return 0, None
    return row["removed"], KeyPlace(row["created_at"], row["dialog_id"], row["message_id"])


async def count(executor: Executor, statement: str, *values: object) -> int:
    found: int = await executor.fetchval(statement, *values)
    return found
