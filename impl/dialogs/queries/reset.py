"""What a reset takes away, in the steps of one transaction.

The first step locks the dialog, as everything does that writes to it. The others are statements of
their own: each sees what was committed until it began, and so also what the lock waited for.
"""

from dataclasses import dataclass
from uuid import UUID

from generated.events import DIALOG_RESET
from impl.db import Executor
from impl.dialogs.call import StoredCall
from impl.dialogs.message import MessageKey
from impl.events.log import published

# Repeated by the same event_id, because its commit's fate was unknown, it changes nothing.
RAISE_VERSION = """
WITH member AS (
    SELECT user_id FROM bot_users WHERE bot_id = $2 AND user_id = $3
), raised AS (
    UPDATE dialogs SET reset_version = reset_version + 1, updated_at = now()
    WHERE id = $1 AND bot_id = $2 AND user_id IN (SELECT user_id FROM member)
        AND erased_at IS NULL AND NOT EXISTS (SELECT FROM outbox WHERE event_id = $4)
    RETURNING reset_version
)
SELECT dialog.bot_id AS owner, dialog.user_id AS dialog_user_id,
    EXISTS (SELECT FROM member) AS user_known, (SELECT reset_version FROM raised) AS reset_version
FROM (SELECT 1) AS one
LEFT JOIN dialogs AS dialog ON dialog.id = $1 AND dialog.bot_id = $2 AND erased_at IS NULL
"""

LOCK_QUEUED = """
SELECT plugin_id, invocation_id, message_id, trace_id, attempt FROM plugin_calls
WHERE dialog_id IN (SELECT id FROM dialogs WHERE id = $1 AND bot_id = $2) AND status = 'queued'
ORDER BY id FOR UPDATE
"""

# Routing reasons and error codes stay: they hold names and figures, no text.
FORGET = f"""
WITH news AS (
    SELECT id AS dialog_id, user_id, $3::text AS reason, reset_version FROM dialogs
    WHERE id = $1 AND bot_id = $2
), gone AS (
    DELETE FROM messages USING news WHERE messages.dialog_id = news.dialog_id
), blanked AS (
    UPDATE plugin_calls SET request_payload = '{{}}', response_payload = NULL
    FROM news
    WHERE plugin_calls.dialog_id = news.dialog_id
        AND (request_payload <> '{{}}' OR response_payload IS NOT NULL)
)
{published(DIALOG_RESET, "news", event_id="$4", trace_id="$5")}
SELECT event_id FROM event
"""  # noqa: S608  # constants of our own


@dataclass(frozen=True, slots=True)
class Reset:
    """Who forgets what. `event_id` tells a repeated attempt."""

    event_id: UUID
    bot_id: UUID
    dialog_id: UUID
    user_id: UUID
    reason: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class Raised:
    """`reset_version` is None where nothing was raised, or where this very reset had done it."""

    owner: UUID | None
    dialog_user_id: UUID | None
    user_known: bool
    reset_version: int | None


async def raise_version(executor: Executor, reset: Reset) -> Raised:
    row = await executor.fetchrow(
        RAISE_VERSION, reset.dialog_id, reset.bot_id, reset.user_id, reset.event_id
    )
    return Raised(**row)


async def lock_queued(executor: Executor, reset: Reset) -> list[StoredCall]:
    rows = await executor.fetch(LOCK_QUEUED, reset.dialog_id, reset.bot_id)
    return [
        StoredCall(
            key=MessageKey(reset.bot_id, reset.dialog_id, row["message_id"]),
            plugin_id=row["plugin_id"],
            base_url="",
            invocation_id=row["invocation_id"],
            trace_id=row["trace_id"],
            attempt=row["attempt"],
            request=b"",
        )
        for row in rows
    ]


async def forget(executor: Executor, reset: Reset) -> None:
    await executor.fetchval(
        FORGET, reset.dialog_id, reset.bot_id, reset.reason, reset.event_id, reset.trace_id
    )
