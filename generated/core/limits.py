# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""botcore: the operations of the tag `limits`."""

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
class GetLimit200:
    """The limit."""

    body: models.LimitV1 | Rendered[models.LimitV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class GetLimit404:
    """Absent, or not yours."""

    code: Literal["subject_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class GetLimit422:
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


GetLimitResult = GetLimit200 | GetLimit404 | GetLimit422


@dataclass(slots=True, kw_only=True)
class SetLimit200:
    """The limit holds."""

    body: models.LimitV1 | Rendered[models.LimitV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class SetLimit404:
    """Absent, or not yours."""

    code: Literal["subject_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class SetLimit422:
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


SetLimitResult = SetLimit200 | SetLimit404 | SetLimit422


@dataclass(slots=True, kw_only=True)
class ResetLimit200:
    """The contract's limit holds."""

    body: models.LimitV1 | Rendered[models.LimitV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class ResetLimit404:
    """Absent, or not yours."""

    code: Literal["subject_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class ResetLimit422:
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


ResetLimitResult = ResetLimit200 | ResetLimit404 | ResetLimit422


class LimitsHandlers(Protocol):
    """What `impl/` fills in for the tag `limits`."""

    async def get_limit(self, admin_key: AdminKey, path: models.GetLimitPath) -> GetLimitResult:
        """Read a limit."""
        ...

    async def set_limit(
        self, admin_key: AdminKey, path: models.SetLimitPath, body: models.LimitChangeV1
    ) -> SetLimitResult:
        """Set a limit."""
        ...

    async def reset_limit(
        self, admin_key: AdminKey, path: models.ResetLimitPath
    ) -> ResetLimitResult:
        """Take a limit back."""
        ...


GET_LIMIT = Operation(
    id="getLimit",
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
            "subject_not_found",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        GetLimit200,
        GetLimit404,
        GetLimit422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
GET_LIMIT_SCOPES = frozenset({"limits:manage"})

SET_LIMIT = Operation(
    id="setLimit",
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
            "subject_not_found",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        SetLimit200,
        SetLimit404,
        SetLimit422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
SET_LIMIT_SCOPES = frozenset({"limits:manage"})

RESET_LIMIT = Operation(
    id="resetLimit",
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
            "subject_not_found",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        ResetLimit200,
        ResetLimit404,
        ResetLimit422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
RESET_LIMIT_SCOPES = frozenset({"limits:manage"})


def limits_router(handlers: LimitsHandlers, authenticator: Authenticator, edge: Edge) -> APIRouter:
    """The router of the tag `limits`, its operations bound to `handlers`."""

    async def get_limit(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, GET_LIMIT_SCOPES)
        path = read_strings(models.GetLimitPath, call.scope["path_params"], "path")
        call.refuse_query()
        return await handlers.get_limit(admin_key, path)

    async def set_limit(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, SET_LIMIT_SCOPES)
        path = read_strings(models.SetLimitPath, call.scope["path_params"], "path")
        call.refuse_query()
        body = read_json(models.LimitChangeV1, await call.body(), 4)
        return await handlers.set_limit(admin_key, path, body)

    async def reset_limit(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, RESET_LIMIT_SCOPES)
        path = read_strings(models.ResetLimitPath, call.scope["path_params"], "path")
        call.refuse_query()
        return await handlers.reset_limit(admin_key, path)

    routes: list[BaseRoute] = [
        Route(
            "/api/v1/admin/limits/{subject}/{subject_id}",
            Endpoint(
                edge,
                {
                    "GET": (GET_LIMIT, get_limit),
                    "PUT": (SET_LIMIT, set_limit),
                },
            ),
            name="getLimit",
        ),
        Route(
            "/api/v1/admin/limits/{subject}/{subject_id}/reset",
            Endpoint(
                edge,
                {
                    "POST": (RESET_LIMIT, reset_limit),
                },
            ),
            name="resetLimit",
        ),
    ]
    return APIRouter(routes=routes)
