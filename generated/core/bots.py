# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""botcore: the operations of the tag `bots`."""

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
class ListBots200:
    """One page of bots."""

    body: models.BotPageV1 | Rendered[models.BotPageV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class ListBots422:
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


ListBotsResult = ListBots200 | ListBots422


@dataclass(slots=True, kw_only=True)
class CreateBot201:
    """The bot is new. Keep the token; it is shown this once."""

    body: models.BotCreatedV1 | Rendered[models.BotCreatedV1]
    cache_control: Literal["no-store"] = "no-store"
    status: ClassVar[Literal[201]] = 201

    def reply(self) -> Reply:
        headers = {
            "Cache-Control": str(self.cache_control),
        }
        return Reply(201, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class CreateBot409:
    """Another request or registration stands in the way."""

    code: Literal["bot_name_taken"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[409]] = 409

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class CreateBot422:
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


CreateBotResult = CreateBot201 | CreateBot409 | CreateBot422


@dataclass(slots=True, kw_only=True)
class RevokeBot200:
    """The bot is revoked."""

    body: models.BotV1 | Rendered[models.BotV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class RevokeBot404:
    """Absent, or not yours."""

    code: Literal["bot_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class RevokeBot422:
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


RevokeBotResult = RevokeBot200 | RevokeBot404 | RevokeBot422


@dataclass(slots=True, kw_only=True)
class ListBotTokens200:
    """One page of tokens."""

    body: models.TokenPageV1 | Rendered[models.TokenPageV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class ListBotTokens404:
    """Absent, or not yours."""

    code: Literal["bot_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class ListBotTokens422:
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


ListBotTokensResult = ListBotTokens200 | ListBotTokens404 | ListBotTokens422


@dataclass(slots=True, kw_only=True)
class IssueBotToken201:
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
class IssueBotToken404:
    """Absent, or not yours."""

    code: Literal["bot_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class IssueBotToken422:
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


IssueBotTokenResult = IssueBotToken201 | IssueBotToken404 | IssueBotToken422


@dataclass(slots=True, kw_only=True)
class RevokeBotToken200:
    """The token is revoked."""

    body: models.TokenV1 | Rendered[models.TokenV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class RevokeBotToken404:
    """Absent, or not yours."""

    code: Literal["bot_not_found", "token_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class RevokeBotToken422:
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


RevokeBotTokenResult = RevokeBotToken200 | RevokeBotToken404 | RevokeBotToken422


@dataclass(slots=True, kw_only=True)
class NarrowBotToken200:
    """The token as it is now."""

    body: models.TokenV1 | Rendered[models.TokenV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class NarrowBotToken404:
    """Absent, or not yours."""

    code: Literal["bot_not_found", "token_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class NarrowBotToken409:
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
class NarrowBotToken422:
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


NarrowBotTokenResult = NarrowBotToken200 | NarrowBotToken404 | NarrowBotToken409 | NarrowBotToken422


@dataclass(slots=True, kw_only=True)
class RotateBotToken201:
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
class RotateBotToken404:
    """Absent, or not yours."""

    code: Literal["bot_not_found", "token_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class RotateBotToken409:
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
class RotateBotToken422:
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


RotateBotTokenResult = RotateBotToken201 | RotateBotToken404 | RotateBotToken409 | RotateBotToken422


@dataclass(slots=True, kw_only=True)
class SetBotCallback200:
    """The callback is set. Keep the secret where there is one; it is shown this once."""

    body: models.BotCallbackV1 | Rendered[models.BotCallbackV1]
    cache_control: Literal["no-store"] = "no-store"
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers = {
            "Cache-Control": str(self.cache_control),
        }
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class SetBotCallback404:
    """Absent, or not yours."""

    code: Literal["bot_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class SetBotCallback422:
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


SetBotCallbackResult = SetBotCallback200 | SetBotCallback404 | SetBotCallback422


@dataclass(slots=True, kw_only=True)
class RemoveBotCallback200:
    """The bot, which is not called back."""

    body: models.BotV1 | Rendered[models.BotV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class RemoveBotCallback404:
    """Absent, or not yours."""

    code: Literal["bot_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class RemoveBotCallback422:
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


RemoveBotCallbackResult = RemoveBotCallback200 | RemoveBotCallback404 | RemoveBotCallback422


class BotsHandlers(Protocol):
    """What `impl/` fills in for the tag `bots`."""

    async def list_bots(self, admin_key: AdminKey, query: models.ListBotsQuery) -> ListBotsResult:
        """List the bots."""
        ...

    async def create_bot(self, admin_key: AdminKey, body: models.BotCreateV1) -> CreateBotResult:
        """Create a bot and issue its first token."""
        ...

    async def revoke_bot(self, admin_key: AdminKey, path: models.RevokeBotPath) -> RevokeBotResult:
        """Revoke a bot and all its tokens."""
        ...

    async def list_bot_tokens(
        self, admin_key: AdminKey, path: models.ListBotTokensPath, query: models.ListBotTokensQuery
    ) -> ListBotTokensResult:
        """List a bot's tokens."""
        ...

    async def issue_bot_token(
        self, admin_key: AdminKey, path: models.IssueBotTokenPath, body: models.BotTokenIssueV1
    ) -> IssueBotTokenResult:
        """Issue a further token to a bot."""
        ...

    async def revoke_bot_token(
        self, admin_key: AdminKey, path: models.RevokeBotTokenPath
    ) -> RevokeBotTokenResult:
        """Revoke a token."""
        ...

    async def narrow_bot_token(
        self, admin_key: AdminKey, path: models.NarrowBotTokenPath, body: models.BotTokenNarrowV1
    ) -> NarrowBotTokenResult:
        """Take scopes or time from a token."""
        ...

    async def rotate_bot_token(
        self, admin_key: AdminKey, path: models.RotateBotTokenPath, body: models.TokenRotateV1
    ) -> RotateBotTokenResult:
        """Replace a token, with an overlap."""
        ...

    async def set_bot_callback(
        self, admin_key: AdminKey, path: models.SetBotCallbackPath, body: models.BotCallbackSetV1
    ) -> SetBotCallbackResult:
        """Have a bot called back."""
        ...

    async def remove_bot_callback(
        self, admin_key: AdminKey, path: models.RemoveBotCallbackPath
    ) -> RemoveBotCallbackResult:
        """Call a bot back no more."""
        ...


LIST_BOTS = Operation(
    id="listBots",
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
        ListBots200,
        ListBots422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
LIST_BOTS_SCOPES = frozenset({"bots:manage"})

CREATE_BOT = Operation(
    id="createBot",
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
            "bot_name_taken",
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
        CreateBot201,
        CreateBot409,
        CreateBot422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
CREATE_BOT_SCOPES = frozenset({"bots:manage"})

REVOKE_BOT = Operation(
    id="revokeBot",
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
            "bot_not_found",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        RevokeBot200,
        RevokeBot404,
        RevokeBot422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
REVOKE_BOT_SCOPES = frozenset({"bots:manage"})

LIST_BOT_TOKENS = Operation(
    id="listBotTokens",
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
            "bot_not_found",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        ListBotTokens200,
        ListBotTokens404,
        ListBotTokens422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
LIST_BOT_TOKENS_SCOPES = frozenset({"bots:manage"})

ISSUE_BOT_TOKEN = Operation(
    id="issueBotToken",
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
            "bot_not_found",
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
        IssueBotToken201,
        IssueBotToken404,
        IssueBotToken422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
ISSUE_BOT_TOKEN_SCOPES = frozenset({"bots:manage"})

REVOKE_BOT_TOKEN = Operation(
    id="revokeBotToken",
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
            "bot_not_found",
            "token_not_found",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        RevokeBotToken200,
        RevokeBotToken404,
        RevokeBotToken422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
REVOKE_BOT_TOKEN_SCOPES = frozenset({"bots:manage"})

NARROW_BOT_TOKEN = Operation(
    id="narrowBotToken",
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
            "bot_not_found",
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
        NarrowBotToken200,
        NarrowBotToken404,
        NarrowBotToken409,
        NarrowBotToken422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
NARROW_BOT_TOKEN_SCOPES = frozenset({"bots:manage"})

ROTATE_BOT_TOKEN = Operation(
    id="rotateBotToken",
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
            "bot_not_found",
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
        RotateBotToken201,
        RotateBotToken404,
        RotateBotToken409,
        RotateBotToken422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
ROTATE_BOT_TOKEN_SCOPES = frozenset({"bots:manage"})

SET_BOT_CALLBACK = Operation(
    id="setBotCallback",
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
            "bot_not_found",
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
        SetBotCallback200,
        SetBotCallback404,
        SetBotCallback422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
SET_BOT_CALLBACK_SCOPES = frozenset({"bots:manage"})

REMOVE_BOT_CALLBACK = Operation(
    id="removeBotCallback",
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
            "bot_not_found",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        RemoveBotCallback200,
        RemoveBotCallback404,
        RemoveBotCallback422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
REMOVE_BOT_CALLBACK_SCOPES = frozenset({"bots:manage"})


def bots_router(handlers: BotsHandlers, authenticator: Authenticator, edge: Edge) -> APIRouter:
    """The router of the tag `bots`, its operations bound to `handlers`."""

    async def list_bots(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, LIST_BOTS_SCOPES)
        query = read_strings(models.ListBotsQuery, call.query(), "query")
        return await handlers.list_bots(admin_key, query)

    async def create_bot(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, CREATE_BOT_SCOPES)
        call.refuse_query()
        body = read_json(models.BotCreateV1, await call.body(), 10)
        return await handlers.create_bot(admin_key, body)

    async def revoke_bot(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, REVOKE_BOT_SCOPES)
        path = read_strings(models.RevokeBotPath, call.scope["path_params"], "path")
        call.refuse_query()
        return await handlers.revoke_bot(admin_key, path)

    async def list_bot_tokens(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, LIST_BOT_TOKENS_SCOPES)
        path = read_strings(models.ListBotTokensPath, call.scope["path_params"], "path")
        query = read_strings(models.ListBotTokensQuery, call.query(), "query")
        return await handlers.list_bot_tokens(admin_key, path, query)

    async def issue_bot_token(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, ISSUE_BOT_TOKEN_SCOPES)
        path = read_strings(models.IssueBotTokenPath, call.scope["path_params"], "path")
        call.refuse_query()
        body = read_json(models.BotTokenIssueV1, await call.body(), 10)
        return await handlers.issue_bot_token(admin_key, path, body)

    async def revoke_bot_token(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, REVOKE_BOT_TOKEN_SCOPES)
        path = read_strings(models.RevokeBotTokenPath, call.scope["path_params"], "path")
        call.refuse_query()
        return await handlers.revoke_bot_token(admin_key, path)

    async def narrow_bot_token(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, NARROW_BOT_TOKEN_SCOPES)
        path = read_strings(models.NarrowBotTokenPath, call.scope["path_params"], "path")
        call.refuse_query()
        body = read_json(models.BotTokenNarrowV1, await call.body(), 9)
        return await handlers.narrow_bot_token(admin_key, path, body)

    async def rotate_bot_token(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, ROTATE_BOT_TOKEN_SCOPES)
        path = read_strings(models.RotateBotTokenPath, call.scope["path_params"], "path")
        call.refuse_query()
        body = read_json(models.TokenRotateV1, await call.body(), 4)
        return await handlers.rotate_bot_token(admin_key, path, body)

    async def set_bot_callback(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, SET_BOT_CALLBACK_SCOPES)
        path = read_strings(models.SetBotCallbackPath, call.scope["path_params"], "path")
        call.refuse_query()
        body = read_json(models.BotCallbackSetV1, await call.body(), 3)
        return await handlers.set_bot_callback(admin_key, path, body)

    async def remove_bot_callback(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, REMOVE_BOT_CALLBACK_SCOPES)
        path = read_strings(models.RemoveBotCallbackPath, call.scope["path_params"], "path")
        call.refuse_query()
        return await handlers.remove_bot_callback(admin_key, path)

    routes: list[BaseRoute] = [
        Route(
            "/api/v1/admin/bots",
            Endpoint(
                edge,
                {
                    "GET": (LIST_BOTS, list_bots),
                    "POST": (CREATE_BOT, create_bot),
                },
            ),
            name="listBots",
        ),
        Route(
            "/api/v1/admin/bots/{bot_id}",
            Endpoint(
                edge,
                {
                    "DELETE": (REVOKE_BOT, revoke_bot),
                },
            ),
            name="revokeBot",
        ),
        Route(
            "/api/v1/admin/bots/{bot_id}/tokens",
            Endpoint(
                edge,
                {
                    "GET": (LIST_BOT_TOKENS, list_bot_tokens),
                    "POST": (ISSUE_BOT_TOKEN, issue_bot_token),
                },
            ),
            name="listBotTokens",
        ),
        Route(
            "/api/v1/admin/bots/{bot_id}/tokens/{token_id}",
            Endpoint(
                edge,
                {
                    "DELETE": (REVOKE_BOT_TOKEN, revoke_bot_token),
                    "PATCH": (NARROW_BOT_TOKEN, narrow_bot_token),
                },
            ),
            name="revokeBotToken",
        ),
        Route(
            "/api/v1/admin/bots/{bot_id}/tokens/{token_id}/rotate",
            Endpoint(
                edge,
                {
                    "POST": (ROTATE_BOT_TOKEN, rotate_bot_token),
                },
            ),
            name="rotateBotToken",
        ),
        Route(
            "/api/v1/admin/bots/{bot_id}/callback",
            Endpoint(
                edge,
                {
                    "PUT": (SET_BOT_CALLBACK, set_bot_callback),
                    "DELETE": (REMOVE_BOT_CALLBACK, remove_bot_callback),
                },
            ),
            name="setBotCallback",
        ),
    ]
    return APIRouter(routes=routes)
