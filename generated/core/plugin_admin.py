# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""botcore: the operations of the tag `plugin_admin`."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from fastapi import APIRouter
from starlette.routing import BaseRoute, Route

from generated import models
from generated.core.security import AdminKey, Authenticator
from generated.errors import ERRORS
from generated.runtime import edge as runtime
from generated.runtime.edge import (
    Call,
    Edge,
    Endpoint,
    Operation,
    Rendered,
    Reply,
    Result,
)
from generated.runtime.problems import InvalidValue
from generated.runtime.validation import read_json, read_strings


@dataclass(slots=True, kw_only=True)
class ListAllPlugins200:
    """A page of plugins."""

    body: models.AdminPluginPageV1 | Rendered[models.AdminPluginPageV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class ListAllPlugins422:
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


ListAllPluginsResult = ListAllPlugins200 | ListAllPlugins422


@dataclass(slots=True, kw_only=True)
class DeletePlugin200:
    """The plugin is deleted."""

    body: models.AdminPluginV1 | Rendered[models.AdminPluginV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class DeletePlugin404:
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
class DeletePlugin422:
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


DeletePluginResult = DeletePlugin200 | DeletePlugin404 | DeletePlugin422


@dataclass(slots=True, kw_only=True)
class EnablePlugin200:
    """The plugin is enabled."""

    body: models.AdminPluginV1 | Rendered[models.AdminPluginV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class EnablePlugin404:
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
class EnablePlugin422:
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


EnablePluginResult = EnablePlugin200 | EnablePlugin404 | EnablePlugin422


@dataclass(slots=True, kw_only=True)
class DisablePlugin200:
    """The plugin is disabled."""

    body: models.AdminPluginV1 | Rendered[models.AdminPluginV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class DisablePlugin404:
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
class DisablePlugin422:
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


DisablePluginResult = DisablePlugin200 | DisablePlugin404 | DisablePlugin422


class PluginAdminHandlers(Protocol):
    """What `impl/` fills in for the tag `plugin_admin`."""

    async def list_all_plugins(
        self, admin_key: AdminKey, query: models.ListAllPluginsQuery
    ) -> ListAllPluginsResult:
        """List the registered plugins."""
        ...

    async def delete_plugin(
        self, admin_key: AdminKey, path: models.DeletePluginPath, query: models.DeletePluginQuery
    ) -> DeletePluginResult:
        """Delete a plugin."""
        ...

    async def enable_plugin(
        self, admin_key: AdminKey, path: models.EnablePluginPath, query: models.EnablePluginQuery
    ) -> EnablePluginResult:
        """Enable a plugin."""
        ...

    async def disable_plugin(
        self, admin_key: AdminKey, path: models.DisablePluginPath, body: models.PluginDisableV1
    ) -> DisablePluginResult:
        """Disable a plugin."""
        ...


LIST_ALL_PLUGINS = Operation(
    id="listAllPlugins",
    produces="application/json",
    takes_body=False,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "insufficient_scope",
            "validation_failed",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        ListAllPlugins200,
        ListAllPlugins422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
LIST_ALL_PLUGINS_SCOPES = frozenset({"plugins:manage"})

DELETE_PLUGIN = Operation(
    id="deletePlugin",
    produces="application/json",
    takes_body=False,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "insufficient_scope",
            "validation_failed",
            "plugin_not_found",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        DeletePlugin200,
        DeletePlugin404,
        DeletePlugin422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset(["plugin_disabled"]),
)
DELETE_PLUGIN_SCOPES = frozenset({"plugins:manage"})

ENABLE_PLUGIN = Operation(
    id="enablePlugin",
    produces="application/json",
    takes_body=False,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "insufficient_scope",
            "validation_failed",
            "plugin_not_found",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        EnablePlugin200,
        EnablePlugin404,
        EnablePlugin422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
ENABLE_PLUGIN_SCOPES = frozenset({"plugins:manage"})

DISABLE_PLUGIN = Operation(
    id="disablePlugin",
    produces="application/json",
    takes_body=True,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "insufficient_scope",
            "validation_failed",
            "invalid_json",
            "invalid_utf8",
            "duplicate_key",
            "body_too_large",
            "unsupported_media_type",
            "plugin_not_found",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        DisablePlugin200,
        DisablePlugin404,
        DisablePlugin422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset(["plugin_disabled"]),
)
DISABLE_PLUGIN_SCOPES = frozenset({"plugins:manage"})


def plugin_admin_router(
    handlers: PluginAdminHandlers, authenticator: Authenticator, edge: Edge
) -> APIRouter:
    """The router of the tag `plugin_admin`, its operations bound to `handlers`."""

    async def list_all_plugins(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, LIST_ALL_PLUGINS_SCOPES)
        query = read_strings(models.ListAllPluginsQuery, call.query(), "query")
        return await handlers.list_all_plugins(admin_key, query)

    async def delete_plugin(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, DELETE_PLUGIN_SCOPES)
        path = read_strings(models.DeletePluginPath, call.scope["path_params"], "path")
        query = read_strings(models.DeletePluginQuery, call.query(), "query")
        return await handlers.delete_plugin(admin_key, path, query)

    async def enable_plugin(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, ENABLE_PLUGIN_SCOPES)
        path = read_strings(models.EnablePluginPath, call.scope["path_params"], "path")
        query = read_strings(models.EnablePluginQuery, call.query(), "query")
        return await handlers.enable_plugin(admin_key, path, query)

    async def disable_plugin(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, DISABLE_PLUGIN_SCOPES)
        path = read_strings(models.DisablePluginPath, call.scope["path_params"], "path")
        call.refuse_query()
        body = read_json(models.PluginDisableV1, await call.body(), 3)
        return await handlers.disable_plugin(admin_key, path, body)

    routes: list[BaseRoute] = [
        Route(
            "/api/v1/admin/plugins",
            Endpoint(
                edge,
                {
                    "GET": (LIST_ALL_PLUGINS, list_all_plugins),
                },
            ),
            name="listAllPlugins",
        ),
        Route(
            "/api/v1/admin/plugins/{plugin_id}",
            Endpoint(
                edge,
                {
                    "DELETE": (DELETE_PLUGIN, delete_plugin),
                },
            ),
            name="deletePlugin",
        ),
        Route(
            "/api/v1/admin/plugins/{plugin_id}/enable",
            Endpoint(
                edge,
                {
                    "POST": (ENABLE_PLUGIN, enable_plugin),
                },
            ),
            name="enablePlugin",
        ),
        Route(
            "/api/v1/admin/plugins/{plugin_id}/disable",
            Endpoint(
                edge,
                {
                    "POST": (DISABLE_PLUGIN, disable_plugin),
                },
            ),
            name="disablePlugin",
        ),
    ]
    return APIRouter(routes=routes)
