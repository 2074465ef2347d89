"""What is removed of an erased user: each statement takes a batch, in the caller's transaction.

Where an event had its place in a stream its row stays, without its content: the relay takes the
entry out of Redis when it can, and a stream that is filled again gets nothing there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from generated.events import DIALOG_RESET, USER_CREATED
from impl.db import Executor

# Nobody waits for it: a bot that gives all its messages one trace makes the audit log slow to ask.
PATIENT_SECONDS = 30.0
TRANSACTION_SECONDS = 150.0  # of a few such statements

# Nothing is waited for: what another worker has, or an outcome, comes with the next look.
CLAIM_FULL = """
SELECT id, reset_version > 1 AS was_reset FROM dialogs
WHERE erased_at IS NOT NULL AND emptied_at IS NULL
ORDER BY erased_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
"""
CLAIM_EMPTY = """
SELECT id FROM dialogs WHERE emptied_at IS NOT NULL
    AND erased_at IS NOT NULL AND erased_at < now() - make_interval(secs => $2)
ORDER BY erased_at LIMIT $1 FOR UPDATE SKIP LOCKED
"""
CLAIM_USERS = """
SELECT id FROM users WHERE telegram_id IS NULL
    AND NOT EXISTS (SELECT FROM dialogs WHERE user_id = users.id)
LIMIT $1 FOR UPDATE SKIP LOCKED
"""


# Before its events are removed the collector must have made all of them into notifications that it
# was about to: who holds the cursor sees no event that half is gone.
LOCK_CURSOR = "SELECT FROM notification_cursor FOR NO KEY UPDATE"

# `told` are event ids. The relay locks rows of the outbox in the order of their ids too. The moment
# is that from which the entry waits to be taken out.
_UNTELL = """
, row AS MATERIALIZED (
    SELECT id FROM outbox WHERE event_id IN (SELECT event_id FROM told) AND body <> '{}'
    ORDER BY id FOR NO KEY UPDATE
), blank AS (
    UPDATE outbox SET body = '{}', published_at = NULL, created_at = now()
    WHERE id IN (SELECT id FROM row)
), unsent AS (
    DELETE FROM notification_deliveries AS delivery
    USING notification_subscriptions AS subscription, told
    WHERE delivery.subscription_id = subscription.id AND delivery.event_id = told.event_id
)
"""


def _removed(table: str, key: str) -> str:
    """SQL: the CTE `gone` of the rows that it removes."""
    return f"""
WITH page AS MATERIALIZED (
    SELECT dialog_id, {key} FROM {table} WHERE dialog_id = ANY($1) LIMIT $2
), gone AS (
    DELETE FROM {table} AS old USING page
    WHERE old.dialog_id = page.dialog_id AND old.{key} = page.{key} RETURNING old.*
)
"""  # noqa: S608  # names of our own


_COUNT = "SELECT count(*) FROM gone"

# Calls go before the events that are still kept: a worker that had claimed one has then told what
# it did with it. The outbox may have older ones, which are found by the audit log; a trace may be
# of other dialogs too.
CONTENT = (
    _removed("messages", "id") + _COUNT,
    _removed("message_keys", "message_id") + _COUNT,
    f"""
{_removed("plugin_calls", "id")}, told AS (
    SELECT event_id FROM audit_logs
    WHERE trace_id IN (SELECT trace_id FROM gone) AND event_id IS NOT NULL
        AND (details->>'dialog_id')::uuid = ANY($1)
)
{_UNTELL}
{_COUNT}
""",  # noqa: S608  # constants of our own
)

REMOVE_EVENTS = f"""
WITH told AS (
    DELETE FROM plugin_events WHERE id = ANY(ARRAY(
        SELECT id FROM plugin_events WHERE dialog_id = ANY($1) LIMIT $2))
    RETURNING id AS event_id
)
{_UNTELL}
SELECT count(*) FROM told
"""  # noqa: S608  # constants of our own

# These are of no plugin. They are few, and no index is worth it; `member` is the payload's.
_UNTELL_OTHERS = """
WITH told AS (
    SELECT event_id FROM outbox
    WHERE stream = '{stream}' AND body->>'event_type' = '{event}'
        AND (body->'payload'->>'{member}')::uuid = ANY($1)
)
{untell}
SELECT count(*) FROM told
"""
UNTELL_RESETS = _UNTELL_OTHERS.format(
    stream=DIALOG_RESET.stream.key, event=DIALOG_RESET.name, member="dialog_id", untell=_UNTELL
)
UNTELL_CREATIONS = _UNTELL_OTHERS.format(
    stream=USER_CREATED.stream.key, event=USER_CREATED.name, member="user_id", untell=_UNTELL
)

NOTE_EMPTY = "UPDATE dialogs SET emptied_at = now() WHERE id = ANY($1)"
REMOVE_DIALOGS = "DELETE FROM dialogs WHERE id = ANY($1)"
REMOVE_USERS = "DELETE FROM users WHERE id = ANY($1)"
OWN_LIMITS = """
SELECT subject_id FROM rate_limits
WHERE partition = 'user' AND subject_id = ANY($1) AND quota IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Dialogs:
    """Whose content is to be removed; `was_reset` of them before they were erased."""

    ids: list[UUID]
    was_reset: list[UUID]


async def claim_full(executor: Executor, most: int) -> Dialogs:
    rows = await executor.fetch(CLAIM_FULL, most)
    return Dialogs([row["id"] for row in rows], [row["id"] for row in rows if row["was_reset"]])


async def claim_empty(executor: Executor, most: int, kept_seconds: float) -> list[UUID]:
    """Those that were erased longer ago than that."""
    return [row["id"] for row in await executor.fetch(CLAIM_EMPTY, most, kept_seconds)]


async def claim_users(executor: Executor, most: int) -> list[UUID]:
    """Those who are erased, and have no dialog left."""
    return [row["id"] for row in await executor.fetch(CLAIM_USERS, most)]


async def remove_content(connection: asyncpg.Connection, ids: Sequence[UUID], most: int) -> bool:
    """Whether there may be more of what was said and called."""
    await connection.execute(LOCK_CURSOR)
    removed: list[int] = [
        await connection.fetchval(statement, ids, most, timeout=PATIENT_SECONDS)
        for statement in CONTENT
    ]
    return max(removed) == most


async def remove_events(connection: asyncpg.Connection, ids: Sequence[UUID], most: int) -> bool:
    """Whether there may be more of what happened in these dialogs."""
    await connection.execute(LOCK_CURSOR)
    removed: int = await connection.fetchval(REMOVE_EVENTS, ids, most, timeout=PATIENT_SECONDS)
    return removed == most


async def untell_resets(connection: asyncpg.Connection, ids: Sequence[UUID]) -> None:
    await connection.execute(LOCK_CURSOR)
    await connection.execute(UNTELL_RESETS, ids, timeout=PATIENT_SECONDS)


async def untell_creations(connection: asyncpg.Connection, ids: Sequence[UUID]) -> None:
    await connection.execute(LOCK_CURSOR)
    await connection.execute(UNTELL_CREATIONS, ids, timeout=PATIENT_SECONDS)


async def note_empty(executor: Executor, ids: Sequence[UUID]) -> None:
    await executor.execute(NOTE_EMPTY, ids)


async def remove_dialogs(executor: Executor, ids: Sequence[UUID]) -> None:
    await executor.execute(REMOVE_DIALOGS, ids)


async def remove_users(executor: Executor, ids: Sequence[UUID]) -> None:
    await executor.execute(REMOVE_USERS, ids)


async def own_limits(executor: Executor, ids: Sequence[UUID]) -> list[UUID]:
    return [row["subject_id"] for row in await executor.fetch(OWN_LIMITS, ids)]
