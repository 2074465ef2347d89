from generated import models
from generated.core.plugin_tokens import (
    IssuePluginToken201,
    IssuePluginTokenResult,
    ListPluginTokens200,
    ListPluginTokensResult,
    NarrowPluginToken200,
    NarrowPluginTokenResult,
    RevokePluginToken200,
    RevokePluginTokenResult,
    RotatePluginToken201,
    RotatePluginTokenResult,
)
from generated.core.security import AdminKey
from impl.tokens.administration.desk import TokenDesk
from impl.tokens.administration.queries import Holder


class PluginTokenHandlers:
    """The operations of the tag `plugin_tokens`."""

    def __init__(self, desk: TokenDesk) -> None:
        self._desk = desk

    async def list_plugin_tokens(
        self,
        admin_key: AdminKey,
        path: models.ListPluginTokensPath,
        query: models.ListPluginTokensQuery,
    ) -> ListPluginTokensResult:
        page = await self._desk.page(Holder("plugin", path.plugin_id), query)
        return ListPluginTokens200(body=page)

    async def issue_plugin_token(
        self,
        admin_key: AdminKey,
        path: models.IssuePluginTokenPath,
        body: models.PluginTokenIssueV1,
    ) -> IssuePluginTokenResult:
        issued = await self._desk.issue(admin_key, Holder("plugin", path.plugin_id), body)
        return IssuePluginToken201(body=issued)

    async def rotate_plugin_token(
        self, admin_key: AdminKey, path: models.RotatePluginTokenPath, body: models.TokenRotateV1
    ) -> RotatePluginTokenResult:
        holder = Holder("plugin", path.plugin_id)
        return RotatePluginToken201(
            body=await self._desk.rotate(admin_key, holder, path.token_id, body)
        )

    async def narrow_plugin_token(
        self,
        admin_key: AdminKey,
        path: models.NarrowPluginTokenPath,
        body: models.PluginTokenNarrowV1,
    ) -> NarrowPluginTokenResult:
        holder = Holder("plugin", path.plugin_id)
        return NarrowPluginToken200(
            body=await self._desk.narrow(admin_key, holder, path.token_id, body)
        )

    async def revoke_plugin_token(
        self, admin_key: AdminKey, path: models.RevokePluginTokenPath
    ) -> RevokePluginTokenResult:
        holder = Holder("plugin", path.plugin_id)
        return RevokePluginToken200(body=await self._desk.revoke(admin_key, holder, path.token_id))
