"""What a bot may read of its dialogs."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from impl.db import Executor
from impl.dialogs.message import MessageKey
from impl.dialogs.queries.parts import MESSAGE, OPEN_CALL

READ_DIALOG = f"""
SELECT bot_id AS owner, id, user_id, status, reset_version, created_at, (
    SELECT jsonb_agg({MESSAGE} || jsonb_build_object('seq', seq) ORDER BY seq)
    FROM (
        SELECT * FROM messages WHERE dialog_id = dialogs.id AND seq < $3 ORDER BY seq DESC LIMIT $4
    ) AS page
) AS messages
FROM dialogs WHERE id = $1 AND bot_id = $2 AND erased_at IS NULL
"""  # noqa: S608  # constants of our own

LARGEST_SEQ = 2**63 - 1

READ_MESSAGE = f"""
SELECT bot_id AS owner, response,
    CASE WHEN response IS NULL THEN (SELECT call.trace_id {OPEN_CALL} LIMIT 1) END AS trace_id
FROM message_keys AS key JOIN dialogs ON dialogs.id = key.dialog_id
WHERE key.dialog_id = $1 AND bot_id = $2 AND message_id = $3 AND erased_at IS NULL
"""  # noqa: S608  # constants of our own


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """What became of a message: its `response` once it is final, its call's trace until then."""

    owner: UUID
    response: bytes | None
    trace_id: UUID | None


async def read_message(executor: Executor, key: MessageKey) -> StoredMessage | None:
    row = await executor.fetchrow(READ_MESSAGE, key.dialog_id, key.bot_id, key.message_id)
    return None if row is None else StoredMessage(**row)


async def read_dialog(
    executor: Executor, *, bot_id: UUID, dialog_id: UUID, before: int | None, limit: int
) -> dict[str, Any] | None:
    """The dialog and up to `limit` messages older than `before`, oldest first, each with `seq`."""
    row = await executor.fetchrow(READ_DIALOG, dialog_id, bot_id, before or LARGEST_SEQ, limit)
    return None if row is None else {**row, "messages": row["messages"] or []}
