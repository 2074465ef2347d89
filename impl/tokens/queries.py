"""SQL of tokens and keys. Only the database's clock decides what expired."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from impl.db import Executor
from impl.tokens.format import Kind

# A token of a revoked bot or a deleted plugin is not found. A disabled plugin's is: what it may do
# is the handler's.
FIND = """
    SELECT
        tokens.hash,
        coalesce(tokens.bot_id, tokens.plugin_id) AS subject_id,
        tokens.scopes,
        tokens.version,
        extract(epoch FROM tokens.expires_at - now())::float8 AS seconds_left
    FROM tokens
    LEFT JOIN bots ON bots.id = tokens.bot_id
    LEFT JOIN plugins ON plugins.id = tokens.plugin_id
    WHERE tokens.id = $1
        AND tokens.kind = $2
        AND tokens.revoked_at IS NULL
        AND (tokens.expires_at IS NULL OR tokens.expires_at > now())
        AND bots.revoked_at IS NULL
        AND plugins.deleted_at IS NULL
"""

# Whatever changes a token makes another version of its row (migration 0011), and so does what
# revokes its bot or deletes its plugin: it revokes the token. What takes longer than a minute to
# commit is not among these.
CHANGED = """
    SELECT id, version FROM tokens
    WHERE version > 1 AND changed_at > now() - interval '1 minute'
"""

# To the minute: a token in use by many instances is no hot row.
NOTE_USE = """
    UPDATE tokens SET last_used_at = now()
    WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
"""

INSERT = """
    INSERT INTO tokens (id, kind, bot_id, plugin_id, hash, scopes, expires_at, name)
    VALUES ($1, $2, $3, $4, $5, $6, now() + $7::interval, $8)
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


@dataclass(frozen=True, slots=True)
class StoredToken:
    hash: str
    subject_id: UUID | None
    scopes: frozenset[str]
    version: int
    seconds_left: float | None


async def find(executor: Executor, token_id: str, kind: Kind) -> StoredToken | None:
    """Return the token where it is valid now."""
    row = await executor.fetchrow(FIND, token_id, kind)
    if row is None:
        return None
    return StoredToken(
        row["hash"],
        row["subject_id"],
        frozenset(row["scopes"]),
        row["version"],
        row["seconds_left"],
    )


async def changed(executor: Executor) -> dict[str, int]:
    """The versions of the tokens that were changed within a minute."""
    return {row["id"]: row["version"] for row in await executor.fetch(CHANGED)}


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
    name: str | None = None,
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
        name,
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
