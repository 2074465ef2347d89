from generated import models
from generated.core.security import BotToken
from generated.core.users import UpsertUser200, UpsertUser201, UpsertUserResult
from generated.runtime import trace
from impl.db import Pool
from impl.users.queries import upsert_user


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
