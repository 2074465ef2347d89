# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""botcore: the operations of the tag `plugin_tokens`."""

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
class ListPluginTokens200:
    """One page of tokens."""

    body: models.TokenPageV1 | Rendered[models.TokenPageV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class ListPluginTokens404:
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
class ListPluginTokens422:
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


ListPluginTokensResult = ListPluginTokens200 | ListPluginTokens404 | ListPluginTokens422


@dataclass(slots=True, kw_only=True)
class IssuePluginToken201:
    """The token is new. Keep it; it is shown this once."""

    body: models.TokenIssuedV1 | Rendered[models.TokenIssuedV1]
    cache_control: Literal["no-store"] = "no-store"
    status: ClassVar[Literal[201]] = 201

    def reply(self) -> Reply:
        headers = {
            "Cache-Control": str(self.cache_control),
        }
        return Reply(201, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class IssuePluginToken404:
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
class IssuePluginToken422:
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


IssuePluginTokenResult = IssuePluginToken201 | IssuePluginToken404 | IssuePluginToken422


@dataclass(slots=True, kw_only=True)
class RevokePluginToken200:
    """The token is revoked."""

    body: models.TokenV1 | Rendered[models.TokenV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class RevokePluginToken404:
    """Absent, or not yours."""

    code: Literal["plugin_not_found", "token_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class RevokePluginToken422:
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


RevokePluginTokenResult = RevokePluginToken200 | RevokePluginToken404 | RevokePluginToken422


@dataclass(slots=True, kw_only=True)
class NarrowPluginToken200:
    """The token as it is now."""

    body: models.TokenV1 | Rendered[models.TokenV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class NarrowPluginToken404:
    """Absent, or not yours."""

    code: Literal["plugin_not_found", "token_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class NarrowPluginToken409:
    """Another request or registration stands in the way."""

    code: Literal["token_revoked"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[409]] = 409

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class NarrowPluginToken422:
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


NarrowPluginTokenResult = (
    NarrowPluginToken200 | NarrowPluginToken404 | NarrowPluginToken409 | NarrowPluginToken422
)


@dataclass(slots=True, kw_only=True)
class RotatePluginToken201:
    """The new token. Keep it; it is shown this once."""

    body: models.TokenIssuedV1 | Rendered[models.TokenIssuedV1]
    cache_control: Literal["no-store"] = "no-store"
    status: ClassVar[Literal[201]] = 201

    def reply(self) -> Reply:
        headers = {
            "Cache-Control": str(self.cache_control),
        }
        return Reply(201, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class RotatePluginToken404:
    """Absent, or not yours."""

    code: Literal["plugin_not_found", "token_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class RotatePluginToken409:
    """Another request or registration stands in the way."""

    code: Literal["token_revoked"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[409]] = 409

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class RotatePluginToken422:
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


RotatePluginTokenResult = (
    RotatePluginToken201 | RotatePluginToken404 | RotatePluginToken409 | RotatePluginToken422
)


class PluginTokensHandlers(Protocol):
    """What `impl/` fills in for the tag `plugin_tokens`."""

    async def list_plugin_tokens(
        self,
        admin_key: AdminKey,
        path: models.ListPluginTokensPath,
        query: models.ListPluginTokensQuery,
    ) -> ListPluginTokensResult:
        """List a plugin's tokens."""
        ...

    async def issue_plugin_token(
        self,
        admin_key: AdminKey,
        path: models.IssuePluginTokenPath,
        body: models.PluginTokenIssueV1,
    ) -> IssuePluginTokenResult:
        """Issue a further token to a plugin."""
        ...

    async def revoke_plugin_token(
        self, admin_key: AdminKey, path: models.RevokePluginTokenPath
    ) -> RevokePluginTokenResult:
        """Revoke a token."""
        ...

    async def narrow_plugin_token(
        self,
        admin_key: AdminKey,
        path: models.NarrowPluginTokenPath,
        body: models.PluginTokenNarrowV1,
    ) -> NarrowPluginTokenResult:
        """Take scopes or time from a token."""
        ...

    async def rotate_plugin_token(
        self, admin_key: AdminKey, path: models.RotatePluginTokenPath, body: models.TokenRotateV1
    ) -> RotatePluginTokenResult:
        """Replace a token, with an overlap."""
        ...


LIST_PLUGIN_TOKENS = Operation(
    id="listPluginTokens",
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
        ListPluginTokens200,
        ListPluginTokens404,
        ListPluginTokens422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
LIST_PLUGIN_TOKENS_SCOPES = frozenset({"plugins:manage"})

ISSUE_PLUGIN_TOKEN = Operation(
    id="issuePluginToken",
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
            "plugin_not_found",
            "invalid_json",
            "invalid_utf8",
            "duplicate_key",
            "body_too_large",
            "unsupported_media_type",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        IssuePluginToken201,
        IssuePluginToken404,
        IssuePluginToken422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
ISSUE_PLUGIN_TOKEN_SCOPES = frozenset({"plugins:manage"})

REVOKE_PLUGIN_TOKEN = Operation(
    id="revokePluginToken",
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
            "token_not_found",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        RevokePluginToken200,
        RevokePluginToken404,
        RevokePluginToken422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
REVOKE_PLUGIN_TOKEN_SCOPES = frozenset({"plugins:manage"})

NARROW_PLUGIN_TOKEN = Operation(
    id="narrowPluginToken",
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
            "plugin_not_found",
            "token_not_found",
            "token_revoked",
            "invalid_json",
            "invalid_utf8",
            "duplicate_key",
            "body_too_large",
            "unsupported_media_type",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        NarrowPluginToken200,
        NarrowPluginToken404,
        NarrowPluginToken409,
        NarrowPluginToken422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
NARROW_PLUGIN_TOKEN_SCOPES = frozenset({"plugins:manage"})

ROTATE_PLUGIN_TOKEN = Operation(
    id="rotatePluginToken",
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
            "plugin_not_found",
            "token_not_found",
            "token_revoked",
            "invalid_json",
            "invalid_utf8",
            "duplicate_key",
            "body_too_large",
            "unsupported_media_type",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        RotatePluginToken201,
        RotatePluginToken404,
        RotatePluginToken409,
        RotatePluginToken422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
ROTATE_PLUGIN_TOKEN_SCOPES = frozenset({"plugins:manage"})


def plugin_tokens_router(
    handlers: PluginTokensHandlers, authenticator: Authenticator, edge: Edge
) -> APIRouter:
    """The router of the tag `plugin_tokens`, its operations bound to `handlers`."""

    async def list_plugin_tokens(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, LIST_PLUGIN_TOKENS_SCOPES)
        path = read_strings(models.ListPluginTokensPath, call.scope["path_params"], "path")
        query = read_strings(models.ListPluginTokensQuery, call.query(), "query")
        return await handlers.list_plugin_tokens(admin_key, path, query)

    async def issue_plugin_token(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, ISSUE_PLUGIN_TOKEN_SCOPES)
        path = read_strings(models.IssuePluginTokenPath, call.scope["path_params"], "path")
        call.refuse_query()
        body = read_json(models.PluginTokenIssueV1, await call.body(), 9)
        return await handlers.issue_plugin_token(admin_key, path, body)

    async def revoke_plugin_token(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, REVOKE_PLUGIN_TOKEN_SCOPES)
        path = read_strings(models.RevokePluginTokenPath, call.scope["path_params"], "path")
        call.refuse_query()
        return await handlers.revoke_plugin_token(admin_key, path)

    async def narrow_plugin_token(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, NARROW_PLUGIN_TOKEN_SCOPES)
        path = read_strings(models.NarrowPluginTokenPath, call.scope["path_params"], "path")
        call.refuse_query()
        body = read_json(models.PluginTokenNarrowV1, await call.body(), 8)
        return await handlers.narrow_plugin_token(admin_key, path, body)

    async def rotate_plugin_token(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, ROTATE_PLUGIN_TOKEN_SCOPES)
        path = read_strings(models.RotatePluginTokenPath, call.scope["path_params"], "path")
        call.refuse_query()
        body = read_json(models.TokenRotateV1, await call.body(), 4)
        return await handlers.rotate_plugin_token(admin_key, path, body)

    routes: list[BaseRoute] = [
        Route(
            "/api/v1/admin/plugins/{plugin_id}/tokens",
            Endpoint(
                edge,
                {
                    "GET": (LIST_PLUGIN_TOKENS, list_plugin_tokens),
                    "POST": (ISSUE_PLUGIN_TOKEN, issue_plugin_token),
                },
            ),
            name="listPluginTokens",
        ),
        Route(
            "/api/v1/admin/plugins/{plugin_id}/tokens/{token_id}",
            Endpoint(
                edge,
                {
                    "DELETE": (REVOKE_PLUGIN_TOKEN, revoke_plugin_token),
                    "PATCH": (NARROW_PLUGIN_TOKEN, narrow_plugin_token),
                },
            ),
            name="revokePluginToken",
        ),
        Route(
            "/api/v1/admin/plugins/{plugin_id}/tokens/{token_id}/rotate",
            Endpoint(
                edge,
                {
                    "POST": (ROTATE_PLUGIN_TOKEN, rotate_plugin_token),
                },
            ),
            name="rotatePluginToken",
        ),
    ]
    return APIRouter(routes=routes)
