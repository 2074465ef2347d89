"""The worker's task that removes what is left of erased users. Any number of workers run it.

Each step is a short transaction on a few dialogs that nobody else has. First their content goes;
their rows stay until no call of before can be under way any more, so that what comes late finds
them erased, and until Redis was there to forget them too. The entries in its streams are the
relay's to take out. Last goes the user's own row, with the last dialog.
"""

import asyncio
from dataclasses import dataclass
from uuid import UUID

import structlog

from impl.db import UNAVAILABLE, Pool, long_transaction
from impl.degraded.gate import Gate
from impl.erasure import queries
from impl.events.streams import state_key
from impl.ratelimit import queries as limits
from impl.ratelimit.queries import Subject
from impl.redis import UNREACHABLE

log = structlog.get_logger()

EVERY_SECONDS = 1.0
DIALOGS = 20  # at once
ROWS = 500  # of each table, in one transaction


@dataclass(frozen=True, slots=True)
class Eraser:
    """`kept_seconds`: how long an empty dialog's row stays; a call's lease is longer than any."""

    pool: Pool
    gate: Gate
    kept_seconds: float

    async def run(self) -> None:
        """Never ends; a database that is away is waited for."""
        while True:
            try:
                more = await self.step()
            except (*UNAVAILABLE, *UNREACHABLE) as error:
                log.warning("erasure_waits", reason=type(error).__name__)
                more = False
            if not more:
                await asyncio.sleep(EVERY_SECONDS)

    async def step(self) -> bool:
        """A little of what is to be done now. Whether there may be more of it.

        Raises one of UNREACHABLE where nothing but Redis is waited for.
        """
        return await self._empty() or await self._remove_dialogs() or await self._remove_users()

    async def _empty(self) -> bool:
        async with long_transaction(self.pool, queries.TRANSACTION_SECONDS) as connection:
            dialogs = await queries.claim_full(connection, DIALOGS)
            if not dialogs.ids:
                return False
            more = await queries.remove_content(connection, dialogs.ids, ROWS)
            more = more or await queries.remove_events(connection, dialogs.ids, ROWS)
            if more:
                return True
            if dialogs.was_reset:
                await queries.untell_resets(connection, dialogs.was_reset)
            await queries.note_empty(connection, dialogs.ids)
        log.info("dialogs_erased", dialogs=len(dialogs.ids))
        return True

    async def _remove_dialogs(self) -> bool:
        async with long_transaction(self.pool, queries.TRANSACTION_SECONDS) as connection:
            ids = await queries.claim_empty(connection, DIALOGS, self.kept_seconds)
            if not ids:
                return False
            # What a plugin reported, or a relay told, while they were being emptied.
            if await queries.remove_events(connection, ids, ROWS):
                return True
            await self._forget(ids)
            await queries.remove_dialogs(connection, ids)
        return True

    async def _forget(self, ids: list[UUID]) -> None:
        keys = [state_key(dialog_id) for dialog_id in ids]
        await self.gate.ask(lambda: self.gate.redis.delete(*keys))

    async def _remove_users(self) -> bool:
        async with long_transaction(self.pool, queries.TRANSACTION_SECONDS) as connection:
            ids = await queries.claim_users(connection, DIALOGS)
            if not ids:
                return False
            own = await queries.own_limits(connection, ids)
            if own:
                await limits.lock_versions(connection)
                for user_id in own:
                    await limits.store(connection, Subject("user", user_id), None, None)
            await queries.untell_creations(connection, ids)
            await queries.remove_users(connection, ids)
        log.info("users_erased", users=len(ids))
        return True
