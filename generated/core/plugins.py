# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""botcore: the operations of the tag `plugins`."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from fastapi import APIRouter
from starlette.routing import BaseRoute, Route

from generated import models
from generated.core.security import Authenticator, PluginToken, RegistryKey
from generated.errors import ERRORS
from generated.runtime import edge as runtime
from generated.runtime.edge import (
    Call,
    Edge,
    Endpoint,
    Limit,
    Operation,
    Rendered,
    Reply,
    Result,
)
from generated.runtime.problems import InvalidValue
from generated.runtime.validation import read_json, read_strings


@dataclass(slots=True, kw_only=True)
class ListPlugins200:
    """The plugins."""

    body: models.PluginCatalogResponseV1 | Rendered[models.PluginCatalogResponseV1]
    cache_control: Literal["no-store"] = "no-store"
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers = {
            "Cache-Control": str(self.cache_control),
        }
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class ListPlugins422:
    """Values break the contract."""

    code: Literal["validation_failed"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


ListPluginsResult = ListPlugins200 | ListPlugins422


@dataclass(slots=True, kw_only=True)
class RegisterPlugin200:
    """The plugin was registered; its token is rotated."""

    body: models.PluginRegistrationResponseV1 | Rendered[models.PluginRegistrationResponseV1]
    cache_control: Literal["no-store"] = "no-store"
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers = {
            "Cache-Control": str(self.cache_control),
        }
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class RegisterPlugin201:
    """The plugin is new."""

    body: models.PluginRegistrationResponseV1 | Rendered[models.PluginRegistrationResponseV1]
    cache_control: Literal["no-store"] = "no-store"
    status: ClassVar[Literal[201]] = 201

    def reply(self) -> Reply:
        headers = {
            "Cache-Control": str(self.cache_control),
        }
        return Reply(201, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class RegisterPlugin409:
    """Another request or registration stands in the way."""

    code: Literal["plugin_conflict"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[409]] = 409

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class RegisterPlugin422:
    """Values break the contract."""

    code: Literal["validation_failed"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


RegisterPluginResult = RegisterPlugin200 | RegisterPlugin201 | RegisterPlugin409 | RegisterPlugin422


@dataclass(slots=True, kw_only=True)
class SendPluginHeartbeat200:
    """Noted."""

    body: models.HeartbeatAckV1 | Rendered[models.HeartbeatAckV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class SendPluginHeartbeat404:
    """Absent, or not yours."""

    code: Literal["plugin_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class SendPluginHeartbeat422:
    """Values break the contract."""

    code: Literal["validation_failed"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


SendPluginHeartbeatResult = SendPluginHeartbeat200 | SendPluginHeartbeat404 | SendPluginHeartbeat422


class PluginsHandlers(Protocol):
    """What `impl/` fills in for the tag `plugins`."""

    async def list_plugins(
        self, plugin_token: PluginToken, query: models.ListPluginsQuery
    ) -> ListPluginsResult:
        """List the plugins that can be called."""
        ...

    async def register_plugin(
        self,
        registry_key: RegistryKey,
        plugin_token: PluginToken | None,
        body: models.PluginRegistrationRequestV1,
    ) -> RegisterPluginResult:
        """Register a plugin and issue its token."""
        ...

    async def send_plugin_heartbeat(
        self,
        plugin_token: PluginToken,
        path: models.SendPluginHeartbeatPath,
        body: models.PluginHeartbeatRequestV1,
    ) -> SendPluginHeartbeatResult:
        """Give a sign of life."""
        ...


LIST_PLUGINS = Operation(
    id="listPlugins",
    produces="application/json",
    takes_body=False,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "validation_failed",
            "database_unavailable",
            "overloaded",
            "insufficient_scope",
            "method_not_allowed",
            "not_acceptable",
            "rate_limited",
            "internal_error",
        }
    ),
    results=(
        ListPlugins200,
        ListPlugins422,
    ),
    challenge='Bearer realm="botcore"',
    credentials="Authorization: Bearer",
    retry_after=frozenset([429, 503]),
    emits=frozenset([]),
)
LIST_PLUGINS_SCOPES = frozenset({"plugins:read"})
LIST_PLUGINS_LIMITS = (Limit("plugin", quota=6000, window=60),)

REGISTER_PLUGIN = Operation(
    id="registerPlugin",
    produces="application/json",
    takes_body=True,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "validation_failed",
            "database_unavailable",
            "overloaded",
            "invalid_json",
            "invalid_utf8",
            "duplicate_key",
            "body_too_large",
            "unsupported_media_type",
            "insufficient_scope",
            "plugin_conflict",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
        }
    ),
    results=(
        RegisterPlugin200,
        RegisterPlugin201,
        RegisterPlugin409,
        RegisterPlugin422,
    ),
    challenge='RegistryKey realm="botcore"',
    credentials="X-Registry-Key",
    retry_after=frozenset([503]),
    emits=frozenset(["plugin_registered"]),
)
REGISTER_PLUGIN_SCOPES = frozenset({"plugins:register"})

SEND_PLUGIN_HEARTBEAT = Operation(
    id="sendPluginHeartbeat",
    produces="application/json",
    takes_body=True,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "validation_failed",
            "database_unavailable",
            "overloaded",
            "invalid_json",
            "invalid_utf8",
            "duplicate_key",
            "body_too_large",
            "unsupported_media_type",
            "plugin_not_found",
            "method_not_allowed",
            "not_acceptable",
            "rate_limited",
            "internal_error",
        }
    ),
    results=(
        SendPluginHeartbeat200,
        SendPluginHeartbeat404,
        SendPluginHeartbeat422,
    ),
    challenge='Bearer realm="botcore"',
    credentials="Authorization: Bearer",
    retry_after=frozenset([429, 503]),
    emits=frozenset(["plugin_heartbeat"]),
)
SEND_PLUGIN_HEARTBEAT_LIMITS = (Limit("plugin", quota=6000, window=60),)


def plugins_router(
    handlers: PluginsHandlers, authenticator: Authenticator, edge: Edge
) -> APIRouter:
    """The router of the tag `plugins`, its operations bound to `handlers`."""

    async def list_plugins(call: Call) -> Result:
        credential = runtime.required(runtime.bearer_credential(call))
        plugin_token = runtime.proved(await authenticator.plugin_token(credential))
        call.enter(plugin_token.token_id)
        call.owe(LIST_PLUGINS_LIMITS[0], plugin_token.plugin_id)
        runtime.require_scopes(plugin_token, LIST_PLUGINS_SCOPES)
        query = read_strings(models.ListPluginsQuery, call.query(), "query")
        await call.pay()
        return await handlers.list_plugins(plugin_token, query)

    async def register_plugin(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-registry-key"))
        registry_key = runtime.proved(await authenticator.registry_key(credential))
        plugin_token = await runtime.authenticate_if_given(
            authenticator.plugin_token, runtime.bearer_credential(call)
        )
        call.enter(registry_key.token_id)
        runtime.require_scopes(registry_key, REGISTER_PLUGIN_SCOPES)
        call.refuse_query()
        body = read_json(models.PluginRegistrationRequestV1, await call.body(), 45174)
        return await handlers.register_plugin(registry_key, plugin_token, body)

    async def send_plugin_heartbeat(call: Call) -> Result:
        credential = runtime.required(runtime.bearer_credential(call))
        plugin_token = runtime.proved(await authenticator.plugin_token(credential))
        call.enter(plugin_token.token_id)
        call.owe(SEND_PLUGIN_HEARTBEAT_LIMITS[0], plugin_token.plugin_id)
        path = read_strings(models.SendPluginHeartbeatPath, call.scope["path_params"], "path")
        call.refuse_query()
        body = read_json(models.PluginHeartbeatRequestV1, await call.body(), 72)
        await call.pay()
        runtime.require_self(plugin_token.plugin_id, path.plugin_id, ERRORS["plugin_not_found"])
        return await handlers.send_plugin_heartbeat(plugin_token, path, body)

    routes: list[BaseRoute] = [
        Route(
            "/api/v1/plugins",
            Endpoint(
                edge,
                {
                    "GET": (LIST_PLUGINS, list_plugins),
                },
            ),
            name="listPlugins",
        ),
        Route(
            "/api/v1/plugins/register",
            Endpoint(
                edge,
                {
                    "POST": (REGISTER_PLUGIN, register_plugin),
                },
            ),
            name="registerPlugin",
        ),
        Route(
            "/api/v1/plugins/{plugin_id}/heartbeat",
            Endpoint(
                edge,
                {
                    "POST": (SEND_PLUGIN_HEARTBEAT, send_plugin_heartbeat),
                },
            ),
            name="sendPluginHeartbeat",
        ),
    ]
    return APIRouter(routes=routes)
