"""Issues tokens. The plaintext is in what is returned and nowhere else, ever."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from impl.db import Executor
from impl.tokens import queries
from impl.tokens.format import Kind, NewToken, mint
from impl.tokens.hashing import hash_token


@dataclass(frozen=True, slots=True)
class IssuedToken:
    id: str
    plaintext: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class PreparedToken:
    """Hashed, and not valid before it is stored."""

    new: NewToken
    kind: Kind
    hashed: str = field(repr=False)


async def prepare(kind: Kind) -> PreparedToken:
    """Do the slow part, about 20 ms or a queue of them: before a transaction, not within."""
    new = mint(kind)
    return PreparedToken(new, kind, await hash_token(new.plaintext))


async def store(
    executor: Executor,
    token: PreparedToken,
    *,
    subject_id: UUID | None = None,
    scopes: Iterable[str],
    expires_in: timedelta | None = None,
    name: str | None = None,
) -> IssuedToken:
    """Make it a token of a bot or plugin (`subject_id`), or an admin or registry key (without)."""
    issued_at, expires_at = await queries.insert(
        executor,
        token.new.id,
        token.kind,
        subject_id=subject_id,
        hashed=token.hashed,
        scopes=scopes,
        expires_in=expires_in,
        name=name,
    )
    return IssuedToken(token.new.id, token.new.plaintext, issued_at, expires_at)


async def issue(
    executor: Executor,
    kind: Kind,
    *,
    subject_id: UUID | None = None,
    scopes: Iterable[str],
    expires_in: timedelta | None = None,
    name: str | None = None,
) -> IssuedToken:
    """Prepare and store in one, where no transaction waits."""
    token = await prepare(kind)
    return await store(
        executor, token, subject_id=subject_id, scopes=scopes, expires_in=expires_in, name=name
    )


async def rotate_plugin_tokens(executor: Executor, plugin_id: UUID, overlap: timedelta) -> None:
    """Let the plugin's tokens expire after `overlap` at the latest: call it before `store`."""
    await queries.limit_plugin_tokens(executor, plugin_id, overlap)
