# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""botcore: the operations of the tag `dialogs`."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol
from uuid import UUID

from fastapi import APIRouter
from starlette.routing import BaseRoute, Route

from generated import models
from generated.core.security import Authenticator, BotToken
from generated.errors import ERRORS
from generated.runtime import edge as runtime
from generated.runtime.edge import (
    Call,
    Edge,
    Endpoint,
    Idempotency,
    Limit,
    Operation,
    Rendered,
    Reply,
    Result,
)
from generated.runtime.problems import InvalidValue
from generated.runtime.validation import read_json, read_strings


@dataclass(slots=True, kw_only=True)
class GetDialog200:
    """The dialog."""

    body: models.DialogSnapshotResponseV1 | Rendered[models.DialogSnapshotResponseV1]
    owner: UUID  # as the database told
    cache_control: Literal["no-store"] = "no-store"
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers = {
            "Cache-Control": str(self.cache_control),
        }
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class GetDialog404:
    """Absent, or not yours."""

    code: Literal["dialog_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class GetDialog422:
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


GetDialogResult = GetDialog200 | GetDialog404 | GetDialog422


@dataclass(slots=True, kw_only=True)
class AddDialogMessage200:
    """The message is stored; `status` says whether it was answered."""

    body: models.DialogMessageResponseV1 | Rendered[models.DialogMessageResponseV1]
    owner: UUID  # as the database told
    location: str
    idempotency_replayed: Literal["true"] | None = None
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers = {
            "Location": str(self.location),
        }
        if self.idempotency_replayed is not None:
            headers["Idempotency-Replayed"] = str(self.idempotency_replayed)
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class AddDialogMessage202:
    """The message is stored; its answer comes later."""

    body: models.DialogMessageResponseV1 | Rendered[models.DialogMessageResponseV1]
    owner: UUID  # as the database told
    location: str
    idempotency_replayed: Literal["true"] | None = None
    preference_applied: Literal["respond-async"] | None = None
    status: ClassVar[Literal[202]] = 202

    def reply(self) -> Reply:
        headers = {
            "Location": str(self.location),
        }
        if self.idempotency_replayed is not None:
            headers["Idempotency-Replayed"] = str(self.idempotency_replayed)
        if self.preference_applied is not None:
            headers["Preference-Applied"] = str(self.preference_applied)
        return Reply(202, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class AddDialogMessage404:
    """Absent, or not yours."""

    code: Literal["dialog_not_found", "user_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class AddDialogMessage409:
    """The same message is still being answered."""

    code: Literal["message_in_flight"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    retry_after: int
    status: ClassVar[Literal[409]] = 409

    def reply(self) -> Reply:
        headers = {
            "Retry-After": str(self.retry_after),
        }
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class AddDialogMessage422:
    """Values break the contract."""

    code: Literal["validation_failed", "message_id_reused"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class AddDialogMessage503:
    """Not now."""

    code: Literal["queue_full"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    retry_after: int
    status: ClassVar[Literal[503]] = 503

    def reply(self) -> Reply:
        headers = {
            "Retry-After": str(self.retry_after),
        }
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


AddDialogMessageResult = (
    AddDialogMessage200
    | AddDialogMessage202
    | AddDialogMessage404
    | AddDialogMessage409
    | AddDialogMessage422
    | AddDialogMessage503
)


@dataclass(slots=True, kw_only=True)
class GetDialogMessage200:
    """The message; `status` says whether it was answered."""

    body: models.DialogMessageResponseV1 | Rendered[models.DialogMessageResponseV1]
    owner: UUID  # as the database told
    cache_control: Literal["no-store"] = "no-store"
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers = {
            "Cache-Control": str(self.cache_control),
        }
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class GetDialogMessage404:
    """Absent, or not yours."""

    code: Literal["message_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class GetDialogMessage422:
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


GetDialogMessageResult = GetDialogMessage200 | GetDialogMessage404 | GetDialogMessage422


@dataclass(slots=True, kw_only=True)
class ResetDialog200:
    """The dialog is empty."""

    body: models.DialogMessageResponseV1 | Rendered[models.DialogMessageResponseV1]
    owner: UUID  # as the database told
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class ResetDialog404:
    """Absent, or not yours."""

    code: Literal["dialog_not_found", "user_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class ResetDialog422:
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


ResetDialogResult = ResetDialog200 | ResetDialog404 | ResetDialog422


class DialogsHandlers(Protocol):
    """What `impl/` fills in for the tag `dialogs`."""

    async def get_dialog(
        self, bot_token: BotToken, path: models.GetDialogPath, query: models.GetDialogQuery
    ) -> GetDialogResult:
        """Read a dialog's status and history."""
        ...

    async def add_dialog_message(
        self,
        bot_token: BotToken,
        path: models.AddDialogMessagePath,
        header: models.AddDialogMessageHeader,
        prefer: frozenset[str],
        body: models.DialogMessageCreateV1,
        idempotency: Idempotency,
    ) -> AddDialogMessageResult:
        """Add a user's message and get the answer."""
        ...

    async def get_dialog_message(
        self, bot_token: BotToken, path: models.GetDialogMessagePath
    ) -> GetDialogMessageResult:
        """Read what became of a message."""
        ...

    async def reset_dialog(
        self, bot_token: BotToken, path: models.ResetDialogPath, body: models.DialogResetRequestV1
    ) -> ResetDialogResult:
        """Forget what was said in a dialog."""
        ...


GET_DIALOG = Operation(
    id="getDialog",
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
            "dialog_not_found",
            "method_not_allowed",
            "not_acceptable",
            "rate_limited",
            "internal_error",
        }
    ),
    results=(
        GetDialog200,
        GetDialog404,
        GetDialog422,
    ),
    challenge='BotToken realm="botcore"',
    credentials="X-Bot-Token",
    retry_after=frozenset([429, 503]),
    emits=frozenset([]),
)
GET_DIALOG_SCOPES = frozenset({"dialogs:read"})
GET_DIALOG_LIMITS = (Limit("bot", quota=12000, window=60),)

ADD_DIALOG_MESSAGE = Operation(
    id="addDialogMessage",
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
            "queue_full",
            "invalid_json",
            "invalid_utf8",
            "duplicate_key",
            "body_too_large",
            "unsupported_media_type",
            "insufficient_scope",
            "dialog_not_found",
            "user_not_found",
            "message_in_flight",
            "message_id_reused",
            "method_not_allowed",
            "not_acceptable",
            "rate_limited",
            "internal_error",
        }
    ),
    results=(
        AddDialogMessage200,
        AddDialogMessage202,
        AddDialogMessage404,
        AddDialogMessage409,
        AddDialogMessage422,
        AddDialogMessage503,
    ),
    challenge='BotToken realm="botcore"',
    credentials="X-Bot-Token",
    retry_after=frozenset([409, 429, 503]),
    emits=frozenset(
        [
            "plugin_invocation_queued",
            "plugin_invocation_started",
            "plugin_invocation_completed",
            "plugin_failed",
            "plugin_timeout",
        ]
    ),
)
ADD_DIALOG_MESSAGE_SCOPES = frozenset({"dialogs:write"})
ADD_DIALOG_MESSAGE_LIMITS = (
    Limit("bot", quota=12000, window=60),
    Limit("user", quota=300, window=60),
)
ADD_DIALOG_MESSAGE_HEADERS = {
    "X-Deadline-Ms": b"x-deadline-ms",
}
ADD_DIALOG_MESSAGE_FINGERPRINT = {
    "user_id",
    "payload",
    "metadata",
}

GET_DIALOG_MESSAGE = Operation(
    id="getDialogMessage",
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
            "message_not_found",
            "method_not_allowed",
            "not_acceptable",
            "rate_limited",
            "internal_error",
        }
    ),
    results=(
        GetDialogMessage200,
        GetDialogMessage404,
        GetDialogMessage422,
    ),
    challenge='BotToken realm="botcore"',
    credentials="X-Bot-Token",
    retry_after=frozenset([429, 503]),
    emits=frozenset([]),
)
GET_DIALOG_MESSAGE_SCOPES = frozenset({"dialogs:read"})
GET_DIALOG_MESSAGE_LIMITS = (Limit("bot", quota=12000, window=60),)

RESET_DIALOG = Operation(
    id="resetDialog",
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
            "dialog_not_found",
            "user_not_found",
            "method_not_allowed",
            "not_acceptable",
            "rate_limited",
            "internal_error",
        }
    ),
    results=(
        ResetDialog200,
        ResetDialog404,
        ResetDialog422,
    ),
    challenge='BotToken realm="botcore"',
    credentials="X-Bot-Token",
    retry_after=frozenset([429, 503]),
    emits=frozenset(["dialog_reset", "plugin_failed"]),
)
RESET_DIALOG_SCOPES = frozenset({"dialogs:write"})
RESET_DIALOG_LIMITS = (
    Limit("bot", quota=12000, window=60),
    Limit("user", quota=300, window=60),
)


def dialogs_router(
    handlers: DialogsHandlers, authenticator: Authenticator, edge: Edge
) -> APIRouter:
    """The router of the tag `dialogs`, its operations bound to `handlers`."""

    async def get_dialog(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-bot-token"))
        bot_token = runtime.proved(await authenticator.bot_token(credential))
        call.enter(bot_token.token_id)
        call.owe(GET_DIALOG_LIMITS[0], bot_token.bot_id)
        runtime.require_scopes(bot_token, GET_DIALOG_SCOPES)
        path = read_strings(models.GetDialogPath, call.scope["path_params"], "path")
        query = read_strings(models.GetDialogQuery, call.query(), "query")
        await call.pay()
        return runtime.owned(await handlers.get_dialog(bot_token, path, query), bot_token.bot_id)

    async def add_dialog_message(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-bot-token"))
        bot_token = runtime.proved(await authenticator.bot_token(credential))
        call.enter(bot_token.token_id)
        call.owe(ADD_DIALOG_MESSAGE_LIMITS[0], bot_token.bot_id)
        runtime.require_scopes(bot_token, ADD_DIALOG_MESSAGE_SCOPES)
        path = read_strings(models.AddDialogMessagePath, call.scope["path_params"], "path")
        call.refuse_query()
        header = read_strings(
            models.AddDialogMessageHeader, call.header_values(ADD_DIALOG_MESSAGE_HEADERS), "header"
        )
        prefer = call.preferences()
        body = read_json(models.DialogMessageCreateV1, await call.body(), 84)
        call.adopt_trace(body.trace_id)
        idempotency = runtime.idempotency(body, "message_id", ADD_DIALOG_MESSAGE_FINGERPRINT)
        call.owe(ADD_DIALOG_MESSAGE_LIMITS[1], body.user_id)
        await call.pay()
        return runtime.owned(
            await handlers.add_dialog_message(bot_token, path, header, prefer, body, idempotency),
            bot_token.bot_id,
        )

    async def get_dialog_message(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-bot-token"))
        bot_token = runtime.proved(await authenticator.bot_token(credential))
        call.enter(bot_token.token_id)
        call.owe(GET_DIALOG_MESSAGE_LIMITS[0], bot_token.bot_id)
        runtime.require_scopes(bot_token, GET_DIALOG_MESSAGE_SCOPES)
        path = read_strings(models.GetDialogMessagePath, call.scope["path_params"], "path")
        call.refuse_query()
        await call.pay()
        return runtime.owned(await handlers.get_dialog_message(bot_token, path), bot_token.bot_id)

    async def reset_dialog(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-bot-token"))
        bot_token = runtime.proved(await authenticator.bot_token(credential))
        call.enter(bot_token.token_id)
        call.owe(RESET_DIALOG_LIMITS[0], bot_token.bot_id)
        runtime.require_scopes(bot_token, RESET_DIALOG_SCOPES)
        path = read_strings(models.ResetDialogPath, call.scope["path_params"], "path")
        call.refuse_query()
        body = read_json(models.DialogResetRequestV1, await call.body(), 5)
        call.owe(RESET_DIALOG_LIMITS[1], body.user_id)
        await call.pay()
        return runtime.owned(await handlers.reset_dialog(bot_token, path, body), bot_token.bot_id)

    routes: list[BaseRoute] = [
        Route(
            "/api/v1/dialogs/{dialog_id}",
            Endpoint(
                edge,
                {
                    "GET": (GET_DIALOG, get_dialog),
                },
            ),
            name="getDialog",
        ),
        Route(
            "/api/v1/dialogs/{dialog_id}/messages",
            Endpoint(
                edge,
                {
                    "POST": (ADD_DIALOG_MESSAGE, add_dialog_message),
                },
            ),
            name="addDialogMessage",
        ),
        Route(
            "/api/v1/dialogs/{dialog_id}/messages/{message_id}",
            Endpoint(
                edge,
                {
                    "GET": (GET_DIALOG_MESSAGE, get_dialog_message),
                },
            ),
            name="getDialogMessage",
        ),
        Route(
            "/api/v1/dialogs/{dialog_id}/reset",
            Endpoint(
                edge,
                {
                    "POST": (RESET_DIALOG, reset_dialog),
                },
            ),
            name="resetDialog",
        ),
    ]
    return APIRouter(routes=routes)
