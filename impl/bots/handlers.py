from uuid import UUID

from generated import models
from generated.core.bots import (
    CreateBot201,
    CreateBotResult,
    IssueBotToken201,
    IssueBotTokenResult,
    ListBots200,
    ListBotsResult,
    ListBotTokens200,
    ListBotTokensResult,
    NarrowBotToken200,
    NarrowBotTokenResult,
    RevokeBot200,
    RevokeBotResult,
    RevokeBotToken200,
    RevokeBotTokenResult,
    RotateBotToken201,
    RotateBotTokenResult,
)
from generated.core.security import AdminKey
from impl.audit.log import by_key
from impl.bots import administration
from impl.bots.callbacks import CallbackHandlers
from impl.bots.queries import described, list_bots
from impl.notifications.desk import SubscriptionDesk
from impl.tokens.administration.actions import Grant
from impl.tokens.administration.desk import TokenDesk, issued_model, seconds
from impl.tokens.administration.queries import Holder
from impl.tokens.issue import prepare


class BotHandlers(CallbackHandlers):
    """The operations of the tag `bots`. What the database refuses is raised as the contract's."""

    def __init__(self, desk: TokenDesk, subscriptions: SubscriptionDesk) -> None:
        super().__init__(subscriptions)
        self._desk = desk

    async def list_bots(self, admin_key: AdminKey, query: models.ListBotsQuery) -> ListBotsResult:
        cursors = self._desk.cursors.of("bots")
        after = None if query.cursor is None else UUID(cursors.read(query.cursor)[0])
        # One more than asked for tells whether there is a further page.
        found = await list_bots(self._desk.pool, after=after, limit=query.limit + 1)
        shown = found[: query.limit]
        more = len(found) > len(shown)
        page = models.BotPageV1(
            items=[described(bot) for bot in shown],
            next_cursor=cursors.write(shown[-1].id) if more else None,
        )
        return ListBots200(body=page)

    async def create_bot(self, admin_key: AdminKey, body: models.BotCreateV1) -> CreateBotResult:
        grant = Grant(body.scopes, seconds(body.expires_in_seconds))
        first = await prepare("bot")
        async with self._desk.transaction() as connection:
            bot, issued = await administration.create(
                connection, by_key(admin_key), body.name, first, grant
            )
        token = issued_model(issued)
        made = models.BotCreatedV1(bot=described(bot), token=token.token, issued=token.issued)
        return CreateBot201(body=made)

    async def revoke_bot(self, admin_key: AdminKey, path: models.RevokeBotPath) -> RevokeBotResult:
        async with self._desk.transaction() as connection:
            done = await administration.revoke(connection, by_key(admin_key), path.bot_id)
        self._desk.verifier.forget(*done.token_ids)
        return RevokeBot200(body=described(done.bot))

    async def list_bot_tokens(
        self,
        admin_key: AdminKey,
        path: models.ListBotTokensPath,
        query: models.ListBotTokensQuery,
    ) -> ListBotTokensResult:
        return ListBotTokens200(body=await self._desk.page(Holder("bot", path.bot_id), query))

    async def issue_bot_token(
        self, admin_key: AdminKey, path: models.IssueBotTokenPath, body: models.BotTokenIssueV1
    ) -> IssueBotTokenResult:
        issued = await self._desk.issue(admin_key, Holder("bot", path.bot_id), body)
        return IssueBotToken201(body=issued)

    async def rotate_bot_token(
        self, admin_key: AdminKey, path: models.RotateBotTokenPath, body: models.TokenRotateV1
    ) -> RotateBotTokenResult:
        holder = Holder("bot", path.bot_id)
        return RotateBotToken201(
            body=await self._desk.rotate(admin_key, holder, path.token_id, body)
        )

    async def narrow_bot_token(
        self, admin_key: AdminKey, path: models.NarrowBotTokenPath, body: models.BotTokenNarrowV1
    ) -> NarrowBotTokenResult:
        holder = Holder("bot", path.bot_id)
        return NarrowBotToken200(
            body=await self._desk.narrow(admin_key, holder, path.token_id, body)
        )

    async def revoke_bot_token(
        self, admin_key: AdminKey, path: models.RevokeBotTokenPath
    ) -> RevokeBotTokenResult:
        holder = Holder("bot", path.bot_id)
        return RevokeBotToken200(body=await self._desk.revoke(admin_key, holder, path.token_id))
