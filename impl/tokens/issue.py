"""Issues tokens. The plaintext is in what is returned and nowhere else, ever."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from impl.db import Executor
from impl.tokens import queries
from impl.tokens.format import Kind, mint
from impl.tokens.hashing import hash_token


@dataclass(frozen=True, slots=True)
class IssuedToken:
    id: str
    plaintext: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime | None


async def issue(
    executor: Executor,
    kind: Kind,
    *,
    subject_id: UUID | None = None,
    scopes: Iterable[str],
    expires_in: timedelta | None = None,
) -> IssuedToken:
    """Make a token of a bot or plugin (`subject_id`), or an admin or registry key (without)."""
    new = mint(kind)
    issued_at, expires_at = await queries.insert(
        executor,
        new.id,
        kind,
        subject_id=subject_id,
        hashed=await hash_token(new.plaintext),
        scopes=scopes,
        expires_in=expires_in,
    )
    return IssuedToken(new.id, new.plaintext, issued_at, expires_at)


async def rotate_plugin_tokens(executor: Executor, plugin_id: UUID, overlap: timedelta) -> None:
    """Let the plugin's tokens expire after `overlap` at the latest: call it before `issue`."""
    await queries.limit_plugin_tokens(executor, plugin_id, overlap)
