# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""botcore plugin: the operations of the tag `plugin`."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from fastapi import APIRouter
from starlette.routing import BaseRoute, Route

from generated import models
from generated.errors import ERRORS
from generated.plugin.security import Authenticator, InvocationBearer
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
class GetPluginHealth200:
    """The plugin lives."""

    body: models.PluginHealthV1 | Rendered[models.PluginHealthV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


GetPluginHealthResult = GetPluginHealth200


@dataclass(slots=True, kw_only=True)
class GetPluginManifest200:
    """What the plugin says of itself."""

    body: (
        models.PluginManifestV1
        | models.LegacyPluginManifestV1
        | Rendered[models.PluginManifestV1 | models.LegacyPluginManifestV1]
    )
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


GetPluginManifestResult = GetPluginManifest200


@dataclass(slots=True, kw_only=True)
class InvokePlugin200:
    """The answer."""

    body: models.PluginInvocationResponseV1 | Rendered[models.PluginInvocationResponseV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class InvokePlugin422:
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


InvokePluginResult = InvokePlugin200 | InvokePlugin422


class PluginHandlers(Protocol):
    """What `impl/` fills in for the tag `plugin`."""

    async def get_plugin_health(self) -> GetPluginHealthResult:
        """The plugin lives."""
        ...

    async def get_plugin_manifest(self) -> GetPluginManifestResult:
        """What the plugin says of itself."""
        ...

    async def invoke_plugin(
        self,
        invocation_bearer: InvocationBearer,
        header: models.InvokePluginHeader,
        body: models.PluginInvocationRequestV1,
    ) -> InvokePluginResult:
        """Answer a message."""
        ...


GET_PLUGIN_HEALTH = Operation(
    id="getPluginHealth",
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
    results=(GetPluginHealth200,),
    challenge=None,
    credentials="",
    retry_after=frozenset([]),
    emits=frozenset([]),
)

GET_PLUGIN_MANIFEST = Operation(
    id="getPluginManifest",
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
    results=(GetPluginManifest200,),
    challenge=None,
    credentials="",
    retry_after=frozenset([]),
    emits=frozenset([]),
)

INVOKE_PLUGIN = Operation(
    id="invokePlugin",
    produces="application/json",
    takes_body=True,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "validation_failed",
            "overloaded",
            "invalid_json",
            "invalid_utf8",
            "duplicate_key",
            "body_too_large",
            "unsupported_media_type",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
        }
    ),
    results=(
        InvokePlugin200,
        InvokePlugin422,
    ),
    challenge='Bearer realm="botcore"',
    credentials="Authorization: Bearer",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
INVOKE_PLUGIN_HEADERS = {
    "X-Invocation-Id": b"x-invocation-id",
    "X-Deadline-Ms": b"x-deadline-ms",
}


def plugin_router(handlers: PluginHandlers, authenticator: Authenticator, edge: Edge) -> APIRouter:
    """The router of the tag `plugin`, its operations bound to `handlers`."""

    async def get_plugin_health(call: Call) -> Result:
        return await handlers.get_plugin_health()

    async def get_plugin_manifest(call: Call) -> Result:
        return await handlers.get_plugin_manifest()

    async def invoke_plugin(call: Call) -> Result:
        credential = runtime.required(runtime.bearer_credential(call))
        invocation_bearer = runtime.proved(await authenticator.invocation_bearer(credential))
        call.enter(invocation_bearer.token_id)
        call.refuse_query()
        header = read_strings(
            models.InvokePluginHeader, call.header_values(INVOKE_PLUGIN_HEADERS), "header"
        )
        body = read_json(models.PluginInvocationRequestV1, await call.body(), 6292)
        call.adopt_trace(body.trace_id)
        return await handlers.invoke_plugin(invocation_bearer, header, body)

    routes: list[BaseRoute] = [
        Route(
            "/health",
            Endpoint(
                edge,
                {
                    "GET": (GET_PLUGIN_HEALTH, get_plugin_health),
                },
            ),
            name="getPluginHealth",
        ),
        Route(
            "/manifest",
            Endpoint(
                edge,
                {
                    "GET": (GET_PLUGIN_MANIFEST, get_plugin_manifest),
                },
            ),
            name="getPluginManifest",
        ),
        Route(
            "/invoke",
            Endpoint(
                edge,
                {
                    "POST": (INVOKE_PLUGIN, invoke_plugin),
                },
            ),
            name="invokePlugin",
        ),
    ]
    return APIRouter(routes=routes)
