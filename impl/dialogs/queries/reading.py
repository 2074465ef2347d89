"""What a bot may read of its dialogs."""

from typing import Any
from uuid import UUID

from impl.db import Executor
from impl.dialogs.queries.parts import MESSAGE

READ_DIALOG = f"""
SELECT bot_id AS owner, id, user_id, status, reset_version, created_at, (
    SELECT jsonb_agg({MESSAGE} || jsonb_build_object('seq', seq) ORDER BY seq)
    FROM (
        SELECT * FROM messages WHERE dialog_id = dialogs.id AND seq < $3 ORDER BY seq DESC LIMIT $4
    ) AS page
) AS messages
FROM dialogs WHERE id = $1 AND bot_id = $2
"""  # noqa: S608  # constants of our own

LARGEST_SEQ = 2**63 - 1


async def read_dialog(
    executor: Executor, *, bot_id: UUID, dialog_id: UUID, before: int | None, limit: int
) -> dict[str, Any] | None:
    """The dialog and up to `limit` messages older than `before`, oldest first, each with `seq`."""
    row = await executor.fetchrow(READ_DIALOG, dialog_id, bot_id, before or LARGEST_SEQ, limit)
    return None if row is None else {**row, "messages": row["messages"] or []}
