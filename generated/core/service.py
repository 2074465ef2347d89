# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""botcore: the operations of the tag `service`."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from fastapi import APIRouter
from starlette.routing import BaseRoute, Route

from generated import models
from generated.core.security import Authenticator
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


@dataclass(slots=True, kw_only=True)
class GetContract200:
    """This contract."""

    body: bytes
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", self.body, headers)


GetContractResult = GetContract200


@dataclass(slots=True, kw_only=True)
class GetPluginContract200:
    """The plugin's side of the contract."""

    body: bytes
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", self.body, headers)


GetPluginContractResult = GetPluginContract200


@dataclass(slots=True, kw_only=True)
class GetEventsContract200:
    """The events' side of the contract."""

    body: bytes
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", self.body, headers)


GetEventsContractResult = GetEventsContract200


@dataclass(slots=True, kw_only=True)
class GetReferencePage200:
    """The reference for people."""

    body: bytes
    content_security_policy: str
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers = {
            "Content-Security-Policy": str(self.content_security_policy),
        }
        return Reply(200, "text/html", self.body, headers)


GetReferencePageResult = GetReferencePage200


@dataclass(slots=True, kw_only=True)
class GetReferenceScript200:
    """The reference page's script."""

    body: bytes
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "text/javascript", self.body, headers)


GetReferenceScriptResult = GetReferenceScript200


@dataclass(slots=True, kw_only=True)
class GetHealth200:
    """The process lives."""

    body: models.HealthV1 | Rendered[models.HealthV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


GetHealthResult = GetHealth200


@dataclass(slots=True, kw_only=True)
class GetReadiness200:
    """The process can serve."""

    body: models.ReadinessV1 | Rendered[models.ReadinessV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


GetReadinessResult = GetReadiness200


@dataclass(slots=True, kw_only=True)
class GetMetrics200:
    """Every metric, as it is now."""

    body: bytes
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "text/plain; version=0.0.4; charset=utf-8", self.body, headers)


GetMetricsResult = GetMetrics200


class ServiceHandlers(Protocol):
    """What `impl/` fills in for the tag `service`."""

    async def get_contract(self) -> GetContractResult:
        """This contract."""
        ...

    async def get_plugin_contract(self) -> GetPluginContractResult:
        """The plugin's side of the contract."""
        ...

    async def get_events_contract(self) -> GetEventsContractResult:
        """The events' side of the contract."""
        ...

    async def get_reference_page(self) -> GetReferencePageResult:
        """The reference for people."""
        ...

    async def get_reference_script(self) -> GetReferenceScriptResult:
        """The reference page's script."""
        ...

    async def get_health(self) -> GetHealthResult:
        """The process lives."""
        ...

    async def get_readiness(self) -> GetReadinessResult:
        """The process can serve."""
        ...

    async def get_metrics(self) -> GetMetricsResult:
        """The metrics of this process."""
        ...


GET_CONTRACT = Operation(
    id="getContract",
    produces="application/json",
    takes_body=False,
    versioned=False,
    codes=frozenset(
        {
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
        }
    ),
    results=(GetContract200,),
    challenge=None,
    credentials="",
    retry_after=frozenset([]),
    emits=frozenset([]),
)

GET_PLUGIN_CONTRACT = Operation(
    id="getPluginContract",
    produces="application/json",
    takes_body=False,
    versioned=False,
    codes=frozenset(
        {
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
        }
    ),
    results=(GetPluginContract200,),
    challenge=None,
    credentials="",
    retry_after=frozenset([]),
    emits=frozenset([]),
)

GET_EVENTS_CONTRACT = Operation(
    id="getEventsContract",
    produces="application/json",
    takes_body=False,
    versioned=False,
    codes=frozenset(
        {
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
        }
    ),
    results=(GetEventsContract200,),
    challenge=None,
    credentials="",
    retry_after=frozenset([]),
    emits=frozenset([]),
)

GET_REFERENCE_PAGE = Operation(
    id="getReferencePage",
    produces="text/html",
    takes_body=False,
    versioned=False,
    codes=frozenset(
        {
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
        }
    ),
    results=(GetReferencePage200,),
    challenge=None,
    credentials="",
    retry_after=frozenset([]),
    emits=frozenset([]),
)

GET_REFERENCE_SCRIPT = Operation(
    id="getReferenceScript",
    produces="text/javascript",
    takes_body=False,
    versioned=False,
    codes=frozenset(
        {
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
        }
    ),
    results=(GetReferenceScript200,),
    challenge=None,
    credentials="",
    retry_after=frozenset([]),
    emits=frozenset([]),
)

GET_HEALTH = Operation(
    id="getHealth",
    produces="application/json",
    takes_body=False,
    versioned=False,
    codes=frozenset(
        {
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
        }
    ),
    results=(GetHealth200,),
    challenge=None,
    credentials="",
    retry_after=frozenset([]),
    emits=frozenset([]),
)

GET_READINESS = Operation(
    id="getReadiness",
    produces="application/json",
    takes_body=False,
    versioned=False,
    codes=frozenset(
        {
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(GetReadiness200,),
    challenge=None,
    credentials="",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)

GET_METRICS = Operation(
    id="getMetrics",
    produces="text/plain",
    takes_body=False,
    versioned=False,
    codes=frozenset(
        {
            "not_found",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
        }
    ),
    results=(GetMetrics200,),
    challenge=None,
    credentials="",
    retry_after=frozenset([]),
    emits=frozenset([]),
)


def service_router(
    handlers: ServiceHandlers, authenticator: Authenticator, edge: Edge
) -> APIRouter:
    """The router of the tag `service`, its operations bound to `handlers`."""

    async def get_contract(call: Call) -> Result:
        return await handlers.get_contract()

    async def get_plugin_contract(call: Call) -> Result:
        return await handlers.get_plugin_contract()

    async def get_events_contract(call: Call) -> Result:
        return await handlers.get_events_contract()

    async def get_reference_page(call: Call) -> Result:
        return await handlers.get_reference_page()

    async def get_reference_script(call: Call) -> Result:
        return await handlers.get_reference_script()

    async def get_health(call: Call) -> Result:
        return await handlers.get_health()

    async def get_readiness(call: Call) -> Result:
        return await handlers.get_readiness()

    async def get_metrics(call: Call) -> Result:
        return await handlers.get_metrics()

    routes: list[BaseRoute] = [
        Route(
            "/api/v1/openapi.json",
            Endpoint(
                edge,
                {
                    "GET": (GET_CONTRACT, get_contract),
                },
            ),
            name="getContract",
        ),
        Route(
            "/api/v1/plugin.openapi.json",
            Endpoint(
                edge,
                {
                    "GET": (GET_PLUGIN_CONTRACT, get_plugin_contract),
                },
            ),
            name="getPluginContract",
        ),
        Route(
            "/api/v1/events.asyncapi.json",
            Endpoint(
                edge,
                {
                    "GET": (GET_EVENTS_CONTRACT, get_events_contract),
                },
            ),
            name="getEventsContract",
        ),
        Route(
            "/docs",
            Endpoint(
                edge,
                {
                    "GET": (GET_REFERENCE_PAGE, get_reference_page),
                },
            ),
            name="getReferencePage",
        ),
        Route(
            "/docs/redoc.js",
            Endpoint(
                edge,
                {
                    "GET": (GET_REFERENCE_SCRIPT, get_reference_script),
                },
            ),
            name="getReferenceScript",
        ),
        Route(
            "/healthz",
            Endpoint(
                edge,
                {
                    "GET": (GET_HEALTH, get_health),
                },
            ),
            name="getHealth",
        ),
        Route(
            "/readyz",
            Endpoint(
                edge,
                {
                    "GET": (GET_READINESS, get_readiness),
                },
            ),
            name="getReadiness",
        ),
        Route(
            "/metrics",
            Endpoint(
                edge,
                {
                    "GET": (GET_METRICS, get_metrics),
                },
            ),
            name="getMetrics",
        ),
    ]
    return APIRouter(routes=routes)
