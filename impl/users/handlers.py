from datetime import datetime

import structlog

from generated import models
from generated.core.security import AdminKey, BotToken
from generated.core.users import (
    EraseUser200,
    EraseUser404,
    EraseUserResult,
    UpsertUser200,
    UpsertUser201,
    UpsertUserResult,
)
from generated.runtime import trace
from impl.audit.log import by_key
from impl.db import Pool, repeated_if_lost
from impl.erasure.erasing import Erasure, erase
from impl.users.queries import upsert_user

log = structlog.get_logger()


class UserHandlers:
    """The operations of the tag `users`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def upsert_user(self, bot_token: BotToken, body: models.UserUpsertV1) -> UpsertUserResult:
        done = await upsert_user(
            self._pool,
            bot_id=bot_token.bot_id,
            telegram_id=body.telegram_id,
            display_name=body.display_name,
            locale=body.locale,
            metadata=body.metadata,
            trace_id=trace.require(),
        )
        if done.created:
            created = models.UserUpsertResponseV1(status="created", user_id=done.user_id)
            return UpsertUser201(body=created)
        updated = models.UserUpsertResponseV1(status="updated", user_id=done.user_id)
        return UpsertUser200(body=updated)

    async def erase_user(
        self, caller: BotToken | AdminKey, path: models.EraseUserPath
    ) -> EraseUserResult:
        trace_id = trace.require()
        if isinstance(caller, BotToken):
            erasure = Erasure(path.user_id, caller.bot_id, trace_id)
        else:
            erasure = Erasure(path.user_id, None, trace_id, by_key(caller))
        erased_at = await repeated_if_lost(lambda: self._erase(erasure))
        if erased_at is None:
            return EraseUser404(code="user_not_found")
        # The log outlives the database: what was erased since a backup is erased again by it.
        log.info("user_erased", user_id=path.user_id, bot_id=erasure.bot_id)
        body = models.UserErasureV1(user_id=path.user_id, erased_at=erased_at)
        return EraseUser200(body=body, owner=erasure.bot_id)

    async def _erase(self, erasure: Erasure) -> datetime | None:
        async with self._pool.acquire() as connection, connection.transaction():
            return await erase(connection, erasure)
