"""The plugin's side of the contract, served."""

import hmac

import structlog
from fastapi import FastAPI

from generated.errors import Overloaded
from generated.models import (
    InvokePluginHeader,
    PluginHealthV1,
    PluginInvocationRequestV1,
    PluginInvocationResponseV1,
)
from generated.plugin.plugin import (
    GetPluginHealth200,
    GetPluginManifest200,
    InvokePlugin200,
    InvokePlugin422,
    plugin_router,
)
from generated.plugin.security import InvocationBearer
from generated.runtime.edge import Credential, Edge, UnknownPath, render
from generated.runtime.limits import NoLimits
from generated.runtime.problems import InvalidValue, ProblemError, pointer
from impl.logging import described
from impl.text_reply.answers import Answer, Answerer
from impl.text_reply.manifest import MANIFEST, VERSION
from impl.text_reply.once import Once

log = structlog.get_logger()

MAX_BODY_BYTES = 4 * 1024 * 1024  # a hundred messages of the longest text, with their files

_HEALTH = GetPluginHealth200(body=render(PluginHealthV1(status="ok", version=VERSION)))
_MANIFEST = GetPluginManifest200(body=render(MANIFEST))
_WRONG_ID = InvokePlugin422(
    code="validation_failed",
    detail="1 value was refused; see errors.",
    errors=(
        InvalidValue(
            "header",
            pointer("X-Invocation-Id"),
            "mismatch",
            "It must equal invocation_id of the body",
        ),
    ),
)


class BearerCheck:
    """Proves the core by the `invocation_token` of the registration.

    Before that nobody can be told from the core: who calls is asked to come again, since a refusal
    is final, and the core would lose a message to each restart.
    """

    def __init__(self) -> None:
        self._expected: bytes | None = None

    def expect(self, token: str) -> None:
        self._expected = token.encode()

    async def invocation_bearer(self, credential: Credential) -> InvocationBearer | None:
        if self._expected is None:
            raise Overloaded
        if not hmac.compare_digest(credential.text.encode(), self._expected):
            return None
        return InvocationBearer(token_id="invocation", scopes=frozenset())  # noqa: S106  # a name


class _Handlers:
    def __init__(self, answerer: Answerer, once: Once[Answer]) -> None:
        self._answerer = answerer
        self._once = once

    async def get_plugin_health(self) -> GetPluginHealth200:
        return _HEALTH

    async def get_plugin_manifest(self) -> GetPluginManifest200:
        return _MANIFEST

    async def invoke_plugin(
        self,
        invocation_bearer: InvocationBearer,
        header: InvokePluginHeader,
        body: PluginInvocationRequestV1,
    ) -> InvokePlugin200 | InvokePlugin422:
        if header.X_Invocation_Id != body.invocation_id:
            return _WRONG_ID
        left = min(body.deadline_ms, header.X_Deadline_Ms or body.deadline_ms)
        answer = await self._once.answer(
            body.invocation_id, lambda: self._answerer.answer(body, left)
        )
        return InvokePlugin200(
            body=PluginInvocationResponseV1(
                text=answer.text,
                confidence=answer.confidence,
                usage=answer.usage,
                trace_id=body.trace_id,
            )
        )


class _LogObserver:
    def answered(self, operation: str, status: int, code: str | None, seconds: float) -> None:
        log.info(
            "answered", operation=operation, status=status, code=code, ms=round(seconds * 1000, 2)
        )

    def failed(self, operation: str, error: Exception) -> None:
        log.error("failed", operation=operation, **described(error))


def _no_translation(error: Exception) -> ProblemError | None:
    """Nothing below the handlers fails in a way that the contract names."""
    return None


def create_app(answerer: Answerer, once: Once[Answer], bearer: BearerCheck) -> FastAPI:
    edge = Edge(_LogObserver(), _no_translation, NoLimits(), MAX_BODY_BYTES)
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        routes=[*plugin_router(_Handlers(answerer, once), bearer, edge).routes],
    )
    app.router.default = UnknownPath(edge)
    return app
