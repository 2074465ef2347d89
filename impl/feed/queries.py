"""Reading the feed: rows by their positions, which the relay gives (impl/events)."""

from dataclasses import dataclass

import asyncpg

from impl.db import Executor

LIVE = 2**63 - 1

# A row whose event is not kept has nothing but its position.
READ = """
SELECT feed.position, event.id AS event_id, plugin_id, dialog_id, event_type, source, severity,
    payload, occurred_at, event.created_at AS received_at
FROM feed LEFT JOIN plugin_events AS event ON event.id = feed.event_id
WHERE feed.position > $1 AND feed.position <= $2 ORDER BY feed.position LIMIT $3
"""

SPAN = "SELECT coalesce(min(position), 0) AS lowest, coalesce(max(position), 0) AS newest FROM feed"

VALID_TOKENS = """
SELECT tokens.id FROM tokens LEFT JOIN plugins ON plugins.id = tokens.plugin_id
WHERE tokens.id = ANY ($1) AND tokens.revoked_at IS NULL AND $2 = ANY (tokens.scopes)
    AND (tokens.expires_at IS NULL OR tokens.expires_at > now()) AND plugins.deleted_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Span:
    """Every event after `lowest` is kept; `newest` is the last one's position."""

    lowest: int
    newest: int


async def read(
    executor: Executor, *, after: int, limit: int, upto: int = LIVE
) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await executor.fetch(READ, after, upto, limit)
    return rows


async def span(executor: Executor) -> Span:
    return Span(**await executor.fetchrow(SPAN))


async def valid_tokens(executor: Executor, token_ids: list[str], scope: str) -> frozenset[str]:
    rows = await executor.fetch(VALID_TOKENS, token_ids, scope)
    return frozenset(row["id"] for row in rows)
