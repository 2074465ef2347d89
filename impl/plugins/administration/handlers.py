from dataclasses import asdict
from functools import partial
from uuid import UUID

from generated import models
from generated.core.plugin_admin import (
    DeletePlugin200,
    DeletePluginResult,
    DisablePlugin200,
    DisablePluginResult,
    EnablePlugin200,
    EnablePluginResult,
    ListAllPlugins200,
    ListAllPluginsResult,
)
from generated.core.security import AdminKey
from impl.audit.log import by_key
from impl.cursor import Cursors
from impl.db import Pool
from impl.plugins.administration import actions
from impl.plugins.administration.queries import Plugin, list_plugins
from impl.plugins.caller import PluginCaller
from impl.plugins.catalogue import Catalogue
from impl.tokens.verifier import TokenVerifier


class PluginAdminHandlers:
    """The operations of the tag `plugin_admin`. This instance routes by what they did at once."""

    def __init__(
        self,
        pool: Pool,
        caller: PluginCaller,
        catalogue: Catalogue,
        verifier: TokenVerifier,
        cursors: Cursors,
    ) -> None:
        self._pool = pool
        self._caller = caller
        self._catalogue = catalogue
        self._verifier = verifier
        self._cursors = cursors

    async def list_all_plugins(
        self, admin_key: AdminKey, query: models.ListAllPluginsQuery
    ) -> ListAllPluginsResult:
        cursors = self._cursors.of("all_plugins", query.status)
        after = None if query.cursor is None else UUID(cursors.read(query.cursor)[0])
        # One more than asked for tells whether there is a further page.
        found = await list_plugins(
            self._pool, status=query.status, after=after, limit=query.limit + 1
        )
        shown = found[: query.limit]
        more = len(found) > len(shown)
        page = models.AdminPluginPageV1(
            items=[_described(plugin) for plugin in shown],
            next_cursor=cursors.write(shown[-1].plugin_id) if more else None,
        )
        return ListAllPlugins200(body=page)

    async def enable_plugin(
        self, admin_key: AdminKey, path: models.EnablePluginPath, query: models.EnablePluginQuery
    ) -> EnablePluginResult:
        healthy = partial(self._caller.healthy, plugin_id=path.plugin_id)
        probed = await actions.probe(self._pool, path.plugin_id, healthy)
        async with self._pool.acquire() as connection, connection.transaction():
            plugin = await actions.enable(
                connection, by_key(admin_key), path.plugin_id, query.reason, probed
            )
        await self._catalogue.refresh()
        return EnablePlugin200(body=_described(plugin))

    async def disable_plugin(
        self, admin_key: AdminKey, path: models.DisablePluginPath, body: models.PluginDisableV1
    ) -> DisablePluginResult:
        async with self._pool.acquire() as connection, connection.transaction():
            plugin = await actions.disable(
                connection, by_key(admin_key), path.plugin_id, body.reason
            )
        await self._catalogue.refresh()
        return DisablePlugin200(body=_described(plugin))

    async def delete_plugin(
        self, admin_key: AdminKey, path: models.DeletePluginPath, query: models.DeletePluginQuery
    ) -> DeletePluginResult:
        async with self._pool.acquire() as connection, connection.transaction():
            done = await actions.delete(connection, by_key(admin_key), path.plugin_id, query.reason)
        self._verifier.forget(*done.token_ids)
        await self._catalogue.refresh()
        return DeletePlugin200(body=_described(done.plugin))


def _described(plugin: Plugin) -> models.AdminPluginV1:
    return models.AdminPluginV1(**asdict(plugin))
