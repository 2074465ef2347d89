"""The state of a dialog, as the next message would find it."""

from dataclasses import dataclass
from uuid import UUID

from impl.db import Executor
from impl.dialogs.queries.parts import LAST_PLUGIN
from impl.routing.router import DialogState

READ_STATE = f"""
SELECT member.locale, last.plugin AS last_plugin, last.seconds AS seconds_since_last,
    NOT EXISTS (SELECT FROM messages WHERE dialog_id = dialog.id) AS is_new
FROM dialogs AS dialog
LEFT JOIN bot_users AS member USING (bot_id, user_id)
LEFT JOIN LATERAL ({LAST_PLUGIN}) AS last ON true
WHERE dialog.id = $1 AND erased_at IS NULL
"""  # noqa: S608  # constants of our own


@dataclass(frozen=True, slots=True)
class Known:
    """`locale` is of the dialog's user."""

    locale: str | None
    dialog: DialogState


async def read_state(executor: Executor, dialog_id: UUID) -> Known:
    """Of a dialog that is not there: as of a new one, which a message would make it."""
    row = await executor.fetchrow(READ_STATE, dialog_id)
    if row is None:
        return Known(None, DialogState())
    state = DialogState(row["is_new"], row["last_plugin"], row["seconds_since_last"])
    return Known(row["locale"], state)
