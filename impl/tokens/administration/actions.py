"""What operators do with tokens and keys, over the API and by command alike.

Each function joins the caller's transaction and locks what it decides on: of two operators the
second sees what the first did. A revoked or narrowed token lives on in the cache of a verifier
until that forgets it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg

from generated.errors import (
    BotNotFound,
    InsufficientScope,
    PluginNotFound,
    TokenNotFound,
    TokenRevoked,
    ValidationFailed,
)
from generated.runtime.problems import InvalidValue, pointer
from impl.audit.log import Actor, record
from impl.db import Executor
from impl.tokens.administration import queries
from impl.tokens.administration.queries import Holder, LockedToken, Token
from impl.tokens.issue import PreparedToken, store
from impl.tokens.scopes import ADMIN_SCOPES, KEY_SCOPES


@dataclass(frozen=True, slots=True)
class Grant:
    """What a new token permits, for how long (None: for ever), and what it is called."""

    scopes: Sequence[str]
    expires_in: timedelta | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    plaintext: str = field(repr=False)
    token: Token


async def page(
    executor: Executor, holder: Holder, *, after: str | None = None, limit: int | None = None
) -> list[Token]:
    """The newest first, those after the token `after`. Raises BotNotFound or PluginNotFound."""
    await _permitted(executor, holder)
    return await queries.list_tokens(executor, holder, after=after, limit=limit)


async def issue(
    connection: asyncpg.Connection,
    actor: Actor,
    holder: Holder,
    new: PreparedToken,
    grant: Grant,
) -> Issued:
    """Raises BotNotFound, PluginNotFound, ValidationFailed for scopes beyond the holder's, or
    InsufficientScope for what the actor lacks."""
    permitted = await _permitted(connection, holder)
    if permitted is not None:
        _refuse_beyond(grant.scopes, permitted, "Beyond what the holder may have")
    _refuse_what_lacks(actor, grant.scopes)
    issued = await _store(connection, holder, new, grant)
    await _record(connection, actor, "token_issued", holder, issued.token)
    return issued


async def rotate(
    connection: asyncpg.Connection,
    actor: Actor,
    holder: Holder,
    token_id: str,
    new: PreparedToken,
    *,
    overlap: timedelta,
    expires_in: timedelta | None = None,
) -> Issued:
    """The new token has the old one's scopes, name and, without `expires_in`, lifetime.

    Raises BotNotFound, PluginNotFound, TokenNotFound, TokenRevoked, or InsufficientScope for what
    the actor lacks.
    """
    permitted = await _permitted(connection, holder)
    old = await _locked_valid(connection, holder, token_id)
    # A plugin may have registered for less since.
    scopes = [scope for scope in old.token.scopes if permitted is None or scope in permitted]
    _refuse_what_lacks(actor, scopes)
    if overlap:
        await queries.shorten_token(connection, token_id, holder, overlap)
    else:
        await queries.revoke_token(connection, token_id, holder)
    grant = Grant(scopes, expires_in or old.lifetime, old.token.name)
    issued = await _store(connection, holder, new, grant)
    more = {"replaces": token_id, "overlap_seconds": overlap.total_seconds()}
    await _record(connection, actor, "token_rotated", holder, issued.token, more=more)
    return issued


async def narrow(
    connection: asyncpg.Connection,
    actor: Actor,
    holder: Holder,
    token_id: str,
    *,
    scopes: Sequence[str] | None = None,
    expires_in: timedelta | None = None,
) -> Token:
    """None leaves it as it is. Raises BotNotFound, PluginNotFound, TokenNotFound, TokenRevoked,
    or ValidationFailed for what would widen it."""
    await _permitted(connection, holder)
    old = await _locked_valid(connection, holder, token_id)
    if scopes is not None:
        had = ", ".join(old.token.scopes) or "none"
        _refuse_beyond(
            scopes, frozenset(old.token.scopes), f"The token has no such scope; it has {had}"
        )
    if expires_in is not None and old.time_left is not None and expires_in > old.time_left:
        fault = InvalidValue("body", "/expires_in_seconds", "wider", "The token ends before")
        raise ValidationFailed(errors=[fault])
    token = await queries.narrow_token(connection, token_id, holder, scopes, expires_in)
    if token != old.token:
        await _record(connection, actor, "token_narrowed", holder, token)
    return token


async def revoke(
    connection: asyncpg.Connection, actor: Actor, holder: Holder, token_id: str
) -> Token:
    """Raises BotNotFound, PluginNotFound, TokenNotFound; one that is revoked stays as it is."""
    await _permitted(connection, holder)
    old = await _locked(connection, holder, token_id)
    if old.token.revoked_at is not None:
        return old.token
    await queries.revoke_token(connection, token_id, holder)
    await _record(connection, actor, "token_revoked", holder, old.token)
    return (await _locked(connection, holder, token_id)).token


async def _permitted(executor: Executor, holder: Holder) -> frozenset[str] | None:
    """What the holder's tokens may permit, None for anything; it cannot be revoked meanwhile."""
    if holder.kind == "bot":
        if not await queries.lock_bot(executor, holder.id):
            raise BotNotFound
        return None
    if holder.kind == "plugin":
        registered = await queries.lock_plugin(executor, holder.id)
        if registered is None:
            raise PluginNotFound
        return registered
    return KEY_SCOPES[holder.kind]


async def _locked(connection: asyncpg.Connection, holder: Holder, token_id: str) -> LockedToken:
    found = await queries.lock_token(connection, token_id, holder)
    if found is None:
        raise TokenNotFound
    return found


async def _locked_valid(
    connection: asyncpg.Connection, holder: Holder, token_id: str
) -> LockedToken:
    found = await _locked(connection, holder, token_id)
    if not found.valid:
        raise TokenRevoked
    return found


async def _store(
    connection: asyncpg.Connection, holder: Holder, new: PreparedToken, grant: Grant
) -> Issued:
    stored = await store(
        connection,
        new,
        subject_id=holder.id,
        scopes=grant.scopes,
        expires_in=grant.expires_in,
        name=grant.name,
    )
    return Issued(stored.plaintext, (await _locked(connection, holder, stored.id)).token)


async def _record(
    connection: asyncpg.Connection,
    actor: Actor,
    action: str,
    holder: Holder,
    token: Token,
    *,
    more: Mapping[str, object] | None = None,
) -> None:
    what = {"token_id": token.id, "scopes": token.scopes, "expires_at": token.expires_at}
    await record(connection, actor, action, {**holder.described(), **what, **(more or {})})


def _refuse_what_lacks(actor: Actor, scopes: Sequence[str]) -> None:
    """Who manages bots or plugins gives what they may have; but of what operators need a scope for
    themselves, nobody gives more than he has, for he is shown the token."""
    if actor.scopes is None:
        return
    missing = ADMIN_SCOPES.intersection(scopes) - actor.scopes
    if missing:
        raise InsufficientScope(f"The key itself lacks the scope {', '.join(sorted(missing))}.")


def _refuse_beyond(scopes: Sequence[str], permitted: frozenset[str], message: str) -> None:
    faults = [
        InvalidValue("body", pointer("scopes", index), "wider", message)
        for index, scope in enumerate(scopes)
        if scope not in permitted
    ]
    if faults:
        raise ValidationFailed(errors=faults)
