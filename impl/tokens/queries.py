"""SQL of tokens and of the bots that hold them. Only the database's clock decides what expired."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from impl.db import Executor
from impl.tokens.format import Kind

# A token of a revoked bot is not found. A disabled plugin's is: what it may do is the handler's.
FIND = """
    SELECT
        tokens.hash,
        coalesce(tokens.bot_id, tokens.plugin_id) AS subject_id,
        tokens.scopes,
        extract(epoch FROM tokens.expires_at - now())::float8 AS seconds_left
    FROM tokens
    LEFT JOIN bots ON bots.id = tokens.bot_id
    WHERE tokens.id = $1
        AND tokens.kind = $2
        AND tokens.revoked_at IS NULL
        AND (tokens.expires_at IS NULL OR tokens.expires_at > now())
        AND bots.revoked_at IS NULL
"""

# To the minute: a token in use by many instances is no hot row.
NOTE_USE = """
    UPDATE tokens SET last_used_at = now()
    WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
"""

INSERT = """
    INSERT INTO tokens (id, kind, bot_id, plugin_id, hash, scopes, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, now() + $7::interval)
    RETURNING created_at, expires_at
"""

LIMIT_PLUGIN_TOKENS = """
    UPDATE tokens SET expires_at = now() + $2::interval
    WHERE plugin_id = $1
        AND revoked_at IS NULL
        AND (expires_at IS NULL OR expires_at > now() + $2::interval)
"""

REVOKE = """
    UPDATE tokens SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id
"""

REVOKE_PLUGIN_TOKENS = """
    UPDATE tokens SET revoked_at = now() WHERE plugin_id = $1 AND revoked_at IS NULL RETURNING id
"""

REVOKE_BOT_TOKENS_EXCEPT = """
    UPDATE tokens SET revoked_at = now()
    WHERE bot_id = $1 AND revoked_at IS NULL AND id <> ALL ($2::text[])
    RETURNING id
"""

INSERT_BOT = """
    INSERT INTO bots (name) VALUES ($1) ON CONFLICT (name) DO NOTHING RETURNING id
"""

LIST_BOTS = """
    SELECT
        bots.id,
        bots.name,
        bots.created_at,
        bots.revoked_at,
        count(tokens.id) FILTER (
            WHERE tokens.revoked_at IS NULL
            AND (tokens.expires_at IS NULL OR tokens.expires_at > now())
        ) AS tokens
    FROM bots
    LEFT JOIN tokens ON tokens.bot_id = bots.id
    GROUP BY bots.id
    ORDER BY bots.name
"""

# A bot's name can have the form of another bot's id: the id wins.
FIND_BOT = """
    SELECT id FROM bots WHERE id::text = lower($1) OR name = $1 ORDER BY name = $1 LIMIT 1
"""

# The first time stays. Its tokens are marked too, though a revoked bot's never verify.
REVOKE_BOT = """
    WITH revoked AS (
        UPDATE tokens SET revoked_at = now() WHERE bot_id = $1 AND revoked_at IS NULL
    )
    UPDATE bots SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id
"""


@dataclass(frozen=True, slots=True)
class StoredToken:
    hash: str
    subject_id: UUID | None
    scopes: frozenset[str]
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Bot:
    id: UUID
    name: str
    created_at: datetime
    revoked_at: datetime | None
    tokens: int


async def find(executor: Executor, token_id: str, kind: Kind) -> StoredToken | None:
    """Return the token where it is valid now."""
    row = await executor.fetchrow(FIND, token_id, kind)
    if row is None:
        return None
    return StoredToken(
        row["hash"], row["subject_id"], frozenset(row["scopes"]), row["seconds_left"]
    )


async def note_use(executor: Executor, token_id: str) -> None:
    await executor.execute(NOTE_USE, token_id)


async def insert(
    executor: Executor,
    token_id: str,
    kind: Kind,
    *,
    subject_id: UUID | None,
    hashed: str,
    scopes: Iterable[str],
    expires_in: timedelta | None,
) -> tuple[datetime, datetime | None]:
    """Return when it was issued and when it expires."""
    row = await executor.fetchrow(
        INSERT,
        token_id,
        kind,
        subject_id if kind == "bot" else None,
        subject_id if kind == "plugin" else None,
        hashed,
        sorted(set(scopes)),
        expires_in,
    )
    return row["created_at"], row["expires_at"]


async def limit_plugin_tokens(executor: Executor, plugin_id: UUID, overlap: timedelta) -> None:
    await executor.execute(LIMIT_PLUGIN_TOKENS, plugin_id, overlap)


async def revoke(executor: Executor, token_id: str) -> bool:
    """Return whether it was this call that revoked it."""
    return await executor.fetchval(REVOKE, token_id) is not None


async def revoke_plugin_tokens(executor: Executor, plugin_id: UUID) -> list[str]:
    """Return the ids of the tokens, for the caches that may know them."""
    return [row["id"] for row in await executor.fetch(REVOKE_PLUGIN_TOKENS, plugin_id)]


async def revoke_bot_tokens_except(
    executor: Executor, bot_id: UUID, kept: Iterable[str]
) -> list[str]:
    rows = await executor.fetch(REVOKE_BOT_TOKENS_EXCEPT, bot_id, list(kept))
    return [row["id"] for row in rows]


async def insert_bot(executor: Executor, name: str) -> UUID | None:
    """Return None where the name is taken."""
    bot_id: UUID | None = await executor.fetchval(INSERT_BOT, name)
    return bot_id


async def list_bots(executor: Executor) -> list[Bot]:
    return [Bot(**row) for row in await executor.fetch(LIST_BOTS)]


async def find_bot(executor: Executor, name_or_id: str) -> UUID | None:
    bot_id: UUID | None = await executor.fetchval(FIND_BOT, name_or_id)
    return bot_id


async def revoke_bot(executor: Executor, bot_id: UUID) -> bool:
    """Revoke the bot and its tokens; return whether it was this call that did."""
    return await executor.fetchval(REVOKE_BOT, bot_id) is not None
