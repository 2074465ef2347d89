# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""botcore: the operations of the tag `events`."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from fastapi import APIRouter
from starlette.routing import BaseRoute, Route

from generated import models
from generated.core.security import AdminKey, Authenticator, PluginToken
from generated.errors import ERRORS
from generated.runtime import edge as runtime
from generated.runtime.edge import (
    Call,
    Chunks,
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
class ListPluginEvents200:
    """A page of events."""

    body: models.PluginEventPageV1 | Rendered[models.PluginEventPageV1]
    cache_control: Literal["no-store"] = "no-store"
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers = {
            "Cache-Control": str(self.cache_control),
        }
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class ListPluginEvents422:
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


ListPluginEventsResult = ListPluginEvents200 | ListPluginEvents422


@dataclass(slots=True, kw_only=True)
class StreamPluginEvents200:
    """The events from here on."""

    body: Chunks
    cache_control: Literal["no-store"] = "no-store"
    x_accel_buffering: Literal["no"] = "no"
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers = {
            "Cache-Control": str(self.cache_control),
            "X-Accel-Buffering": str(self.x_accel_buffering),
        }
        return Reply(200, "text/event-stream", b"", headers, chunks=self.body)


@dataclass(slots=True, kw_only=True)
class StreamPluginEvents422:
    """Values break the contract."""

    code: Literal["validation_failed", "last_event_id_expired"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


StreamPluginEventsResult = StreamPluginEvents200 | StreamPluginEvents422


@dataclass(slots=True, kw_only=True)
class ReportPluginEvent200:
    """The event is stored, now or before."""

    body: models.EventAckV1 | Rendered[models.EventAckV1]
    idempotency_replayed: Literal["true"] | None = None
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers = {}
        if self.idempotency_replayed is not None:
            headers["Idempotency-Replayed"] = str(self.idempotency_replayed)
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class ReportPluginEvent404:
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
class ReportPluginEvent422:
    """Values break the contract."""

    code: Literal["validation_failed", "event_id_reused"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


ReportPluginEventResult = ReportPluginEvent200 | ReportPluginEvent404 | ReportPluginEvent422


class EventsHandlers(Protocol):
    """What `impl/` fills in for the tag `events`."""

    async def list_plugin_events(
        self, caller: PluginToken | AdminKey, query: models.ListPluginEventsQuery
    ) -> ListPluginEventsResult:
        """Read what happened to plugins."""
        ...

    async def stream_plugin_events(
        self,
        caller: PluginToken | AdminKey,
        query: models.StreamPluginEventsQuery,
        header: models.StreamPluginEventsHeader,
    ) -> StreamPluginEventsResult:
        """Follow what happens to plugins."""
        ...

    async def report_plugin_event(
        self,
        plugin_token: PluginToken,
        path: models.ReportPluginEventPath,
        body: models.PluginEventV1,
        idempotency: Idempotency,
    ) -> ReportPluginEventResult:
        """Report an event."""
        ...


LIST_PLUGIN_EVENTS = Operation(
    id="listPluginEvents",
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
        ListPluginEvents200,
        ListPluginEvents422,
    ),
    challenge='Bearer realm="botcore"',
    credentials="Authorization: Bearer or X-Admin-Key",
    retry_after=frozenset([429, 503]),
    emits=frozenset([]),
)
LIST_PLUGIN_EVENTS_SCOPES = frozenset({"telemetry:read"})
LIST_PLUGIN_EVENTS_LIMITS = (Limit("plugin", quota=6000, window=60),)

STREAM_PLUGIN_EVENTS = Operation(
    id="streamPluginEvents",
    produces="text/event-stream",
    takes_body=False,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "validation_failed",
            "last_event_id_expired",
            "database_unavailable",
            "overloaded",
            "insufficient_scope",
            "method_not_allowed",
            "not_acceptable",
            "rate_limited",
            "too_many_streams",
            "internal_error",
        }
    ),
    results=(
        StreamPluginEvents200,
        StreamPluginEvents422,
    ),
    challenge='Bearer realm="botcore"',
    credentials="Authorization: Bearer or X-Admin-Key",
    retry_after=frozenset([429, 503]),
    emits=frozenset([]),
)
STREAM_PLUGIN_EVENTS_SCOPES = frozenset({"telemetry:read"})
STREAM_PLUGIN_EVENTS_LIMITS = (Limit("plugin", quota=6000, window=60),)
STREAM_PLUGIN_EVENTS_HEADERS = {
    "Last-Event-ID": b"last-event-id",
}

REPORT_PLUGIN_EVENT = Operation(
    id="reportPluginEvent",
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
            "plugin_not_found",
            "event_id_reused",
            "method_not_allowed",
            "not_acceptable",
            "rate_limited",
            "internal_error",
        }
    ),
    results=(
        ReportPluginEvent200,
        ReportPluginEvent404,
        ReportPluginEvent422,
    ),
    challenge='Bearer realm="botcore"',
    credentials="Authorization: Bearer",
    retry_after=frozenset([429, 503]),
    emits=frozenset(["plugin_reported", "plugin_disabled"]),
)
REPORT_PLUGIN_EVENT_SCOPES = frozenset({"telemetry:write"})
REPORT_PLUGIN_EVENT_LIMITS = (Limit("plugin", quota=6000, window=60),)
REPORT_PLUGIN_EVENT_FINGERPRINT = {
    "dialog_id",
    "event_type",
    "severity",
    "payload",
    "occurred_at",
}


def events_router(handlers: EventsHandlers, authenticator: Authenticator, edge: Edge) -> APIRouter:
    """The router of the tag `events`, its operations bound to `handlers`."""

    async def list_plugin_events(call: Call) -> Result:
        caller = await runtime.authenticate_either(
            authenticator.plugin_token,
            runtime.bearer_credential(call),
            authenticator.admin_key,
            runtime.header_credential(call, b"x-admin-key"),
        )
        call.enter(caller.token_id)
        if isinstance(caller, PluginToken):
            call.owe(LIST_PLUGIN_EVENTS_LIMITS[0], caller.plugin_id)
        runtime.require_scopes(caller, LIST_PLUGIN_EVENTS_SCOPES)
        query = read_strings(models.ListPluginEventsQuery, call.query(), "query")
        await call.pay()
        return await handlers.list_plugin_events(caller, query)

    async def stream_plugin_events(call: Call) -> Result:
        caller = await runtime.authenticate_either(
            authenticator.plugin_token,
            runtime.bearer_credential(call),
            authenticator.admin_key,
            runtime.header_credential(call, b"x-admin-key"),
        )
        if isinstance(caller, PluginToken):
            call.owe(STREAM_PLUGIN_EVENTS_LIMITS[0], caller.plugin_id)
        runtime.require_scopes(caller, STREAM_PLUGIN_EVENTS_SCOPES)
        query = read_strings(models.StreamPluginEventsQuery, call.query(), "query")
        header = read_strings(
            models.StreamPluginEventsHeader,
            call.header_values(STREAM_PLUGIN_EVENTS_HEADERS),
            "header",
        )
        await call.pay()
        return await handlers.stream_plugin_events(caller, query, header)

    async def report_plugin_event(call: Call) -> Result:
        credential = runtime.required(runtime.bearer_credential(call))
        plugin_token = runtime.proved(await authenticator.plugin_token(credential))
        call.enter(plugin_token.token_id)
        call.owe(REPORT_PLUGIN_EVENT_LIMITS[0], plugin_token.plugin_id)
        runtime.require_scopes(plugin_token, REPORT_PLUGIN_EVENT_SCOPES)
        path = read_strings(models.ReportPluginEventPath, call.scope["path_params"], "path")
        call.refuse_query()
        body = read_json(models.PluginEventV1, await call.body(), 1010)
        idempotency = runtime.idempotency(body, "event_id", REPORT_PLUGIN_EVENT_FINGERPRINT)
        await call.pay()
        runtime.require_self(plugin_token.plugin_id, path.plugin_id, ERRORS["plugin_not_found"])
        return await handlers.report_plugin_event(plugin_token, path, body, idempotency)

    routes: list[BaseRoute] = [
        Route(
            "/api/v1/plugins/events",
            Endpoint(
                edge,
                {
                    "GET": (LIST_PLUGIN_EVENTS, list_plugin_events),
                },
            ),
            name="listPluginEvents",
        ),
        Route(
            "/api/v1/plugins/events/stream",
            Endpoint(
                edge,
                {
                    "GET": (STREAM_PLUGIN_EVENTS, stream_plugin_events),
                },
            ),
            name="streamPluginEvents",
        ),
        Route(
            "/api/v1/plugins/{plugin_id}/events",
            Endpoint(
                edge,
                {
                    "POST": (REPORT_PLUGIN_EVENT, report_plugin_event),
                },
            ),
            name="reportPluginEvent",
        ),
    ]
    return APIRouter(routes=routes)
