"""Writes what operators change, in the transaction that changes it. Events write their own rows:
see impl/events/log.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

import orjson

from generated.core.security import AdminKey
from generated.runtime import trace
from impl.db import Executor

INSERT = """
    INSERT INTO audit_logs (source, action, details, trace_id, severity)
    VALUES ($1, $2, $3, $4, $5)
"""

Severity = Literal["info", "warning", "critical"]

# All ids of years of rotations would exceed what `details` may hold, and so forbid to revoke them.
TOKENS_NAMED = 100


@dataclass(frozen=True, slots=True)
class Actor:
    """Who administers, and under which trace."""

    source: Literal["user", "system"]
    trace_id: str
    key_id: str | None  # the public id of the admin key; None on the machine itself
    scopes: frozenset[str] | None = None  # of that key; None: whoever is on the machine may all


def by_key(key: AdminKey) -> Actor:
    """Whoever sends the request that is answered now."""
    return Actor("user", trace.require(), key.token_id, key.scopes)


def on_this_machine() -> Actor:
    """Whoever runs a command."""
    return Actor("system", str(uuid4()), None)


def revoked(token_ids: Sequence[str]) -> dict[str, object]:
    """What went with its holder, as `details` tell it: how many, and by id as many as fit."""
    return {"revoked_tokens": len(token_ids), "token_ids": token_ids[:TOKENS_NAMED]}


async def record(
    executor: Executor,
    actor: Actor,
    action: str,
    details: Mapping[str, object],
    severity: Severity = "info",
) -> None:
    """`details` are ids, scopes and times; never a secret."""
    key = {} if actor.key_id is None else {"admin_key_id": actor.key_id}
    content = orjson.dumps({**details, **key}, default=str)  # asyncpg has a UUID of its own
    await executor.execute(INSERT, actor.source, action, content, actor.trace_id, severity)
