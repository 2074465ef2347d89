# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""botcore: the operations of the tag `users`."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol
from uuid import UUID

from fastapi import APIRouter
from starlette.routing import BaseRoute, Route

from generated import models
from generated.core.security import AdminKey, Authenticator, BotToken
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
class UpsertUser200:
    """The bot knew the person; the record is up to date."""

    body: models.UserUpsertResponseV1 | Rendered[models.UserUpsertResponseV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class UpsertUser201:
    """The person is new to this bot."""

    body: models.UserUpsertResponseV1 | Rendered[models.UserUpsertResponseV1]
    status: ClassVar[Literal[201]] = 201

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(201, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class UpsertUser422:
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


UpsertUserResult = UpsertUser200 | UpsertUser201 | UpsertUser422


@dataclass(slots=True, kw_only=True)
class EraseUser200:
    """The user is erased."""

    body: models.UserErasureV1 | Rendered[models.UserErasureV1]
    owner: UUID | None  # as the database told
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class EraseUser404:
    """Absent, or not yours."""

    code: Literal["user_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class EraseUser422:
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


EraseUserResult = EraseUser200 | EraseUser404 | EraseUser422


class UsersHandlers(Protocol):
    """What `impl/` fills in for the tag `users`."""

    async def upsert_user(self, bot_token: BotToken, body: models.UserUpsertV1) -> UpsertUserResult:
        """Register or update a user."""
        ...

    async def erase_user(
        self, caller: BotToken | AdminKey, path: models.EraseUserPath
    ) -> EraseUserResult:
        """Erase a user."""
        ...


UPSERT_USER = Operation(
    id="upsertUser",
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
            "method_not_allowed",
            "not_acceptable",
            "rate_limited",
            "internal_error",
        }
    ),
    results=(
        UpsertUser200,
        UpsertUser201,
        UpsertUser422,
    ),
    challenge='BotToken realm="botcore"',
    credentials="X-Bot-Token",
    retry_after=frozenset([429, 503]),
    emits=frozenset(["user_created"]),
)
UPSERT_USER_SCOPES = frozenset({"users:write"})
UPSERT_USER_LIMITS = (Limit("bot", quota=12000, window=60),)

ERASE_USER = Operation(
    id="eraseUser",
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
            "user_not_found",
            "method_not_allowed",
            "not_acceptable",
            "rate_limited",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        EraseUser200,
        EraseUser404,
        EraseUser422,
    ),
    challenge='BotToken realm="botcore"',
    credentials="X-Bot-Token or X-Admin-Key",
    retry_after=frozenset([429, 503]),
    emits=frozenset(["user_erased"]),
)
ERASE_USER_SCOPES = frozenset({"users:erase"})
ERASE_USER_LIMITS = (Limit("bot", quota=12000, window=60),)


def users_router(handlers: UsersHandlers, authenticator: Authenticator, edge: Edge) -> APIRouter:
    """The router of the tag `users`, its operations bound to `handlers`."""

    async def upsert_user(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-bot-token"))
        bot_token = runtime.proved(await authenticator.bot_token(credential))
        call.enter(bot_token.token_id)
        call.owe(UPSERT_USER_LIMITS[0], bot_token.bot_id)
        runtime.require_scopes(bot_token, UPSERT_USER_SCOPES)
        call.refuse_query()
        body = read_json(models.UserUpsertV1, await call.body(), 27)
        await call.pay()
        return await handlers.upsert_user(bot_token, body)

    async def erase_user(call: Call) -> Result:
        caller = await runtime.authenticate_either(
            authenticator.bot_token,
            runtime.header_credential(call, b"x-bot-token"),
            authenticator.admin_key,
            runtime.header_credential(call, b"x-admin-key"),
        )
        call.enter(caller.token_id)
        if isinstance(caller, BotToken):
            call.owe(ERASE_USER_LIMITS[0], caller.bot_id)
        runtime.require_scopes(caller, ERASE_USER_SCOPES)
        path = read_strings(models.EraseUserPath, call.scope["path_params"], "path")
        call.refuse_query()
        await call.pay()
        answer = await handlers.erase_user(caller, path)
        if isinstance(caller, BotToken):
            return runtime.owned(answer, caller.bot_id)
        return answer

    routes: list[BaseRoute] = [
        Route(
            "/api/v1/users",
            Endpoint(
                edge,
                {
                    "POST": (UPSERT_USER, upsert_user),
                },
            ),
            name="upsertUser",
        ),
        Route(
            "/api/v1/users/{user_id}",
            Endpoint(
                edge,
                {
                    "DELETE": (ERASE_USER, erase_user),
                },
            ),
            name="eraseUser",
        ),
    ]
    return APIRouter(routes=routes)
