"""A user is gone for everybody: what is left of them is told to nobody, and a worker removes it.

It takes one short transaction, however much there is: dialogs are marked, and what was said stays
where it is for the moment (eraser.py).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from generated.events import USER_ERASED
from impl.audit.log import Actor, record
from impl.events.log import published

# Whoever registers the person meanwhile waits, and begins anew. So does a message that makes a
# dialog: its membership is locked (impl/dialogs/queries/intake.py).
LOCK = """
SELECT id FROM users WHERE id = $1 AND telegram_id IS NOT NULL
    AND ($2::uuid IS NULL OR EXISTS (SELECT FROM bot_users WHERE user_id = $1 AND bot_id = $2))
FOR NO KEY UPDATE
"""

FORGET_NAMES = """
DELETE FROM bot_users WHERE user_id = $1 AND ($2::uuid IS NULL OR bot_id = $2) RETURNING bot_id
"""

# A statement of its own: it sees each dialog that was made until the lock was had. As a reset it
# raises reset_version, so that an answer which is on its way is not remembered. With the last bot
# that knew them the person goes.
MARK = f"""
WITH dialog AS (
    UPDATE dialogs SET erased_at = now(), reset_version = reset_version + 1, updated_at = now()
    WHERE user_id = $1 AND ($2::uuid IS NULL OR bot_id = $2) AND erased_at IS NULL
), person AS (
    UPDATE users SET telegram_id = NULL, locale = NULL, updated_at = now()
    WHERE id = $1 AND NOT EXISTS (SELECT FROM bot_users WHERE user_id = $1)
), erasure AS (
    INSERT INTO erasures (user_id, bot_id) VALUES ($1, $2)
    ON CONFLICT (user_id, bot_id) DO UPDATE SET erased_at = now()
    RETURNING user_id, bot_id, erased_at
)
{published(USER_ERASED, "erasure", event_id="$3", trace_id="$4")}
SELECT erased_at FROM erasure
"""  # noqa: S608  # constants of our own

# Whoever asks again is told what was done before.
READ = "SELECT erased_at FROM erasures WHERE user_id = $1 AND bot_id IS NOT DISTINCT FROM $2"


@dataclass(frozen=True, slots=True)
class Erasure:
    """Of one bot's part of the user or, without a bot, of all of them.

    `actor` is the operator who wants it; None where the bot does.
    """

    user_id: UUID
    bot_id: UUID | None
    trace_id: str
    actor: Actor | None = None


async def erase(connection: asyncpg.Connection, erasure: Erasure) -> datetime | None:
    """Since when the user is gone, in the caller's transaction, which may be repeated.

    None where there is no such user, or the bot never had them.
    """
    whose = erasure.user_id, erasure.bot_id
    if await connection.fetchval(LOCK, *whose) is not None:
        names = await connection.fetch(FORGET_NAMES, *whose)
        if erasure.bot_id is None or names:  # else another request was faster
            return await _mark(connection, erasure)
    before: datetime | None = await connection.fetchval(READ, *whose)
    return before


async def _mark(connection: asyncpg.Connection, erasure: Erasure) -> datetime:
    values = erasure.user_id, erasure.bot_id, USER_ERASED.new_id(), erasure.trace_id
    erased_at: datetime = await connection.fetchval(MARK, *values)
    whose = {"user_id": erasure.user_id, "bot_id": erasure.bot_id}
    if erasure.actor is not None:
        await record(connection, erasure.actor, "user_erased", whose, "warning")
    return erased_at
