"""Where bots are told that a late answer is there: a subscription of their own."""

from dataclasses import replace

from generated import models
from generated.core.bots import (
    RemoveBotCallback200,
    RemoveBotCallbackResult,
    SetBotCallback200,
    SetBotCallbackResult,
)
from generated.core.security import AdminKey
from generated.errors import BotNotFound
from impl.audit.log import by_key
from impl.bots.queries import described, read_bot
from impl.notifications import administration
from impl.notifications.desk import SubscriptionDesk
from impl.notifications.desk import described as subscription_model


class CallbackHandlers:
    """Two operations of the tag `bots`."""

    def __init__(self, desk: SubscriptionDesk) -> None:
        self._subscriptions = desk

    async def set_bot_callback(
        self, admin_key: AdminKey, path: models.SetBotCallbackPath, body: models.BotCallbackSetV1
    ) -> SetBotCallbackResult:
        desk = self._subscriptions
        await administration.check_url(desk.client, body.callback_url, "/callback_url")
        async with desk.transaction() as connection:
            done = await administration.set_callback(
                connection, by_key(admin_key), path.bot_id, body.callback_url
            )
        found = models.BotCallbackV1(
            bot_id=path.bot_id,
            subscription=subscription_model(done.subscription),
            secret=desk.secret(done.subscription) if done.created else None,
        )
        return SetBotCallback200(body=found)

    async def remove_bot_callback(
        self, admin_key: AdminKey, path: models.RemoveBotCallbackPath
    ) -> RemoveBotCallbackResult:
        async with self._subscriptions.transaction() as connection:
            bot = await read_bot(connection, path.bot_id)
            if bot is None:
                raise BotNotFound
            await administration.remove_callback(connection, by_key(admin_key), path.bot_id)
            bot = replace(bot, callback_url=None)
        return RemoveBotCallback200(body=described(bot))
