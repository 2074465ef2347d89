"""A dialog starts anew: what was said is gone, and what is on its way is not remembered."""

from typing import Literal
from uuid import UUID

from impl.db import Pool, repeated_if_lost
from impl.dialogs.call import RESET
from impl.dialogs.outcomes import rejection
from impl.dialogs.queries import reset as queries
from impl.dialogs.queries.outcome import finish
from impl.dialogs.queries.reset import Reset

Refusal = Literal["user_not_found", "dialog_not_found", "dialog_of_another_user"]


async def reset_dialog(pool: Pool, reset: Reset) -> UUID | Refusal:
    """The dialog's owner, where it was reset."""
    return await repeated_if_lost(lambda: _reset(pool, reset))


async def _reset(pool: Pool, reset: Reset) -> UUID | Refusal:
    async with pool.acquire() as connection, connection.transaction():
        raised = await queries.raise_version(connection, reset)
        if not raised.user_known:
            return "user_not_found"
        if raised.owner is None:
            return "dialog_not_found"
        if raised.dialog_user_id != reset.user_id:
            return "dialog_of_another_user"
        if raised.reset_version is not None:
            for call in await queries.lock_queued(connection, reset):
                await finish(connection, call, rejection(call, RESET))
            await queries.forget(connection, reset)
        return raised.owner
