from uuid import UUID

from generated import models
from generated.core.plugins import (
    ListPlugins200,
    ListPluginsResult,
    RegisterPlugin200,
    RegisterPlugin201,
    RegisterPlugin409,
    RegisterPluginResult,
    SendPluginHeartbeat200,
    SendPluginHeartbeat404,
    SendPluginHeartbeat422,
    SendPluginHeartbeatResult,
)
from generated.core.security import PluginToken, RegistryKey
from generated.runtime import trace
from generated.runtime.problems import InvalidValue
from impl.cursor import Cursors
from impl.db import Pool
from impl.plugins.catalogue import Catalogue
from impl.plugins.queries import list_callable, store_heartbeat
from impl.plugins.registration import (
    ManifestConflictError,
    Registered,
    Registrar,
    VersionDeletedError,
)


class PluginHandlers:
    """The operations of the tag `plugins`."""

    def __init__(
        self, pool: Pool, registrar: Registrar, catalogue: Catalogue, cursors: Cursors
    ) -> None:
        self._pool = pool
        self._registrar = registrar
        self._catalogue = catalogue
        self._cursors = cursors

    async def list_plugins(
        self, plugin_token: PluginToken, query: models.ListPluginsQuery
    ) -> ListPluginsResult:
        cursors = self._cursors.of("plugins", plugin_token.plugin_id)
        after = None if query.cursor is None else UUID(cursors.read(query.cursor)[0])
        rows = await list_callable(self._pool, after, query.limit + 1)
        page, cursor = cursors.page(rows, query.limit, "plugin_id")
        found = {"items": page, "next_cursor": cursor}
        return ListPlugins200(body=models.PluginCatalogResponseV1.model_validate(found))

    async def register_plugin(
        self,
        registry_key: RegistryKey,
        plugin_token: PluginToken | None,
        body: models.PluginRegistrationRequestV1,
    ) -> RegisterPluginResult:
        own = None if plugin_token is None else plugin_token.plugin_id
        try:
            done = await self._registrar.register(body, own, trace.require())
        except ManifestConflictError:
            return RegisterPlugin409(code="plugin_conflict")
        except VersionDeletedError:
            return RegisterPlugin409(
                code="plugin_conflict",
                detail=f"{body.name} {body.version} was deleted; register another version.",
            )
        await self._catalogue.refresh()
        answer = self._registration(done)
        return RegisterPlugin201(body=answer) if done.created else RegisterPlugin200(body=answer)

    def _registration(self, done: Registered) -> models.PluginRegistrationResponseV1:
        caller = self._registrar.caller
        return models.PluginRegistrationResponseV1(
            plugin_id=done.plugin_id,
            token=done.token.plaintext,
            issued_at=done.token.issued_at,
            expires_at=done.token.expires_at,
            invocation_token=caller.invocation_token(done.plugin_id),
            signing_secret=caller.signing_secret(done.plugin_id),
        )

    async def send_plugin_heartbeat(
        self,
        plugin_token: PluginToken,
        path: models.SendPluginHeartbeatPath,
        body: models.PluginHeartbeatRequestV1,
    ) -> SendPluginHeartbeatResult:
        if body.plugin_id != path.plugin_id:
            fault = InvalidValue("body", "/plugin_id", "mismatch", "Must equal the path's")
            return SendPluginHeartbeat422(code="validation_failed", errors=(fault,))
        status = await store_heartbeat(
            self._pool,
            token_plugin_id=plugin_token.plugin_id,
            plugin_id=path.plugin_id,
            body=body,
            trace_id=trace.require(),
        )
        if status is None:
            return SendPluginHeartbeat404(code="plugin_not_found")
        return SendPluginHeartbeat200(body=models.HeartbeatAckV1(status=status))
