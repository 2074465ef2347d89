# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""botcore: the operations of the tag `routing`."""

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
from generated.runtime.validation import read_json


@dataclass(slots=True, kw_only=True)
class ExplainRouting200:
    """Who would answer, and why."""

    body: models.RoutingDecisionV1 | Rendered[models.RoutingDecisionV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class ExplainRouting422:
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


ExplainRoutingResult = ExplainRouting200 | ExplainRouting422


class RoutingHandlers(Protocol):
    """What `impl/` fills in for the tag `routing`."""

    async def explain_routing(
        self, admin_key: AdminKey, body: models.RoutingExplainRequestV1
    ) -> ExplainRoutingResult:
        """Explain where a message would go."""
        ...


EXPLAIN_ROUTING = Operation(
    id="explainRouting",
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
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        ExplainRouting200,
        ExplainRouting422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
EXPLAIN_ROUTING_SCOPES = frozenset({"routing:explain"})


def routing_router(
    handlers: RoutingHandlers, authenticator: Authenticator, edge: Edge
) -> APIRouter:
    """The router of the tag `routing`, its operations bound to `handlers`."""

    async def explain_routing(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, EXPLAIN_ROUTING_SCOPES)
        call.refuse_query()
        body = read_json(models.RoutingExplainRequestV1, await call.body(), 82)
        return await handlers.explain_routing(admin_key, body)

    routes: list[BaseRoute] = [
        Route(
            "/api/v1/routing/explain",
            Endpoint(
                edge,
                {
                    "POST": (EXPLAIN_ROUTING, explain_routing),
                },
            ),
            name="explainRouting",
        ),
    ]
    return APIRouter(routes=routes)
