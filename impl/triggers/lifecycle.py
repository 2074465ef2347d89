"""TR-004: a plugin that failed critically is taken out of service, once.

The protocol is docs/PROTOCOLS/PLUGIN_LIFECYCLE.md.
"""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from generated.triggers import TR_004
from impl.audit.log import Actor, record, revoked
from impl.plugins.administration import queries
from impl.tokens.queries import revoke_plugin_tokens

# Before the plugin's row is locked, as whoever counts them does.
FORGET_FAILURES = "DELETE FROM plugin_failures WHERE plugin_id = $1"


@dataclass(frozen=True, slots=True)
class TakenOut:
    """`disabled`: whether it was this that did, and not somebody before."""

    disabled: bool
    token_ids: list[str]  # what this revoked, for the caches that may know them


async def take_out(
    connection: asyncpg.Connection, plugin_id: UUID, reason: str, trace_id: str
) -> TakenOut:
    """Disable it and revoke its tokens, in the transaction of the event that says why.

    One that an operator had disabled loses its tokens too; of one that was taken out nothing is
    left to take. Whoever asked twice, or several at once, tell it once.
    """
    told = f"{TR_004.id}: {reason}"
    await connection.execute(FORGET_FAILURES, plugin_id)
    disabled = await queries.disable(connection, plugin_id, told, trace_id, TR_004.severity)
    # A statement of its own, behind the plugin's lock: it sees what was issued until then.
    token_ids = await revoke_plugin_tokens(connection, plugin_id)
    if disabled or token_ids:
        actor = Actor("system", trace_id, None)
        details = {"plugin_id": plugin_id, "trigger": TR_004.id, "reason": told}
        details |= revoked(token_ids)
        await record(connection, actor, "plugin_taken_out", details, TR_004.severity)
    return TakenOut(disabled, token_ids)
