"""SQL of what operators do with tokens and keys."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID

from impl.db import Executor
from impl.tokens.format import Kind

# What is told of a token; never its hash.
_COLUMNS = "id, kind, name, scopes, created_at, expires_at, revoked_at, last_used_at"
_HELD_BY = {
    "bot": "bot_id = $1",
    "plugin": "plugin_id = $1",
    "keys": "$1::uuid IS NULL AND kind IN ('admin', 'registry')",
}

# Rows never go: the last token of a page tells where the next begins.
LIST = {
    holder: f"""
    SELECT {_COLUMNS} FROM tokens
    WHERE {held_by} AND (
        $2::text IS NULL
        OR (created_at, id) < (SELECT created_at, id FROM tokens WHERE id = $2 AND {held_by})
    )
    ORDER BY created_at DESC, id DESC LIMIT $3
    """  # noqa: S608  # constants of our own
    for holder, held_by in _HELD_BY.items()
}

# Whoever revokes the holder waits for the caller's transaction, and is not waited for by messages:
# their foreign keys take a weaker lock.
LOCK_BOT = "SELECT id FROM bots WHERE id = $1 AND revoked_at IS NULL FOR SHARE"
LOCK_PLUGIN = "SELECT scopes FROM plugins WHERE id = $1 AND deleted_at IS NULL FOR SHARE"

# Whose it is stands in each statement, though the first of a transaction has proved it.
_OF_HOLDER = "id = $1 AND kind = $2 AND coalesce(bot_id, plugin_id) IS NOT DISTINCT FROM $3::uuid"

LOCK_TOKEN = f"""
    SELECT {_COLUMNS},
        revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) AS valid,
        expires_at - now() AS time_left,
        expires_at - created_at AS lifetime
    FROM tokens WHERE {_OF_HOLDER} FOR NO KEY UPDATE
"""  # noqa: S608  # constants of our own

REVOKE = f"""
    UPDATE tokens SET revoked_at = now() WHERE {_OF_HOLDER} AND revoked_at IS NULL
"""  # noqa: S608  # constants of our own

SHORTEN = f"""
    UPDATE tokens SET expires_at = least(expires_at, now() + $4::interval) WHERE {_OF_HOLDER}
"""  # noqa: S608  # constants of our own

NARROW = f"""
    UPDATE tokens
    SET scopes = coalesce($4::text[], scopes),
        expires_at = coalesce(now() + $5::interval, expires_at)
    WHERE {_OF_HOLDER}
    RETURNING {_COLUMNS}
"""  # noqa: S608  # constants of our own

FIND_KEY = "SELECT kind FROM tokens WHERE id = $1 AND kind IN ('admin', 'registry')"


@dataclass(frozen=True, slots=True)
class Holder:
    """A bot, a plugin, or, without an id, whoever holds an admin or registry key."""

    kind: Kind
    id: UUID | None = None

    def described(self) -> dict[str, object]:
        """As the audit log names it."""
        return {"kind": self.kind} if self.id is None else {f"{self.kind}_id": self.id}


@dataclass(frozen=True, slots=True)
class Token:
    id: str
    kind: Kind
    name: str | None
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class LockedToken:
    """As it is until the caller's transaction ends. Without an end both times are None."""

    token: Token
    valid: bool
    time_left: timedelta | None
    lifetime: timedelta | None


async def list_tokens(
    executor: Executor, holder: Holder, *, after: str | None, limit: int | None
) -> list[Token]:
    """Return the newest first, those after the token `after`; without a limit all of them."""
    statement = LIST["keys" if holder.id is None else holder.kind]
    return [Token(**row) for row in await executor.fetch(statement, holder.id, after, limit)]


async def lock_bot(executor: Executor, bot_id: UUID | None) -> bool:
    """Return whether there is such a bot, not revoked, and keep it so."""
    return await executor.fetchval(LOCK_BOT, bot_id) is not None


async def lock_plugin(executor: Executor, plugin_id: UUID | None) -> frozenset[str] | None:
    """Return the scopes that the plugin registered for, and keep them; None where it is gone."""
    scopes = await executor.fetchval(LOCK_PLUGIN, plugin_id)
    return None if scopes is None else frozenset(scopes)


async def lock_token(executor: Executor, token_id: str, holder: Holder) -> LockedToken | None:
    """Return the holder's token, which nobody else changes before the caller's transaction ends."""
    row = await executor.fetchrow(LOCK_TOKEN, token_id, holder.kind, holder.id)
    if row is None:
        return None
    token = Token(**{field.name: row[field.name] for field in fields(Token)})
    return LockedToken(token, row["valid"], row["time_left"], row["lifetime"])


async def revoke_token(executor: Executor, token_id: str, holder: Holder) -> None:
    await executor.execute(REVOKE, token_id, holder.kind, holder.id)


async def shorten_token(
    executor: Executor, token_id: str, holder: Holder, overlap: timedelta
) -> None:
    """Let it expire after `overlap`, unless it does before."""
    await executor.execute(SHORTEN, token_id, holder.kind, holder.id, overlap)


async def narrow_token(
    executor: Executor,
    token_id: str,
    holder: Holder,
    scopes: Iterable[str] | None,
    expires_in: timedelta | None,
) -> Token:
    """None leaves it as it is."""
    kept = None if scopes is None else sorted(scopes)
    return Token(
        **await executor.fetchrow(NARROW, token_id, holder.kind, holder.id, kept, expires_in)
    )


async def find_key(executor: Executor, token_id: str) -> Kind | None:
    """Return which kind of key it is."""
    kind: Kind | None = await executor.fetchval(FIND_KEY, token_id)
    return kind
