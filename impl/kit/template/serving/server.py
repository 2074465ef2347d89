"""Serves the contract: every request is held against it before plugin.py is asked."""

import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from .contract import Contract
from .once import Once
from .problems import Json, Problem, fault, overloaded, refuse, rendered
from .reading import (
    SCHEMA_VERSION,
    UUID,
    accepts_json,
    check_version,
    deadline,
    parsed,
    read,
    trace_of,
)
from .signature import is_signed

SHARE_OF_DEADLINE = 0.9  # the rest is for the way back
CHALLENGE = {"WWW-Authenticate": "Bearer"}

log = logging.getLogger("plugin")


@dataclass(frozen=True)
class Call:
    """What is asked. `body` is the PluginInvocationRequestV1, whole."""

    body: Json

    @property
    def text(self) -> str | None:
        """What the user wrote; None for an image or a voice message."""
        text: str | None = self.body["payload"].get("text")
        return text

    @property
    def intent(self) -> str | None:
        intent: str | None = self.body["intent"]
        return intent

    @property
    def locale(self) -> str | None:
        locale: str | None = self.body["context"]["locale"]
        return locale

    @property
    def dry_run(self) -> bool:
        """Where it is true: answer, and do nothing that lasts."""
        return bool(self.body["dry_run"])


Answer = Callable[[Call], Awaitable[Json]]


class InvalidAnswerError(Exception):
    """What was made for an answer is none by the contract."""


@dataclass
class _Trace:
    """Of a request: its header's, or its body's as soon as that is read."""

    id: str


class Server:
    """Serves GET /health, GET /manifest and POST /invoke.

    `token` is the core's Bearer, `secret` what it signs with: without one nothing is verified.
    """

    def __init__(
        self,
        manifest: Json,
        contract: Contract,
        answer: Answer,
        token: str | None,
        secret: str | None = None,
    ) -> None:
        self.contract = contract
        self.token = token  # None until the plugin is registered: nobody may call it before
        self.secret = secret
        self._manifest = manifest
        self._answer = answer
        self._once = Once()

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.Response:
        began, trace = time.perf_counter(), _Trace(trace_of(request))
        headers: dict[str, str] = {}
        try:
            status, body = 200, await self._route(request, trace)
        except Problem as problem:
            status, body, headers = rendered(problem, trace.id)
        except Exception as error:
            # Of an answer that breaks the contract its place says it all.
            place = None if isinstance(error, InvalidAnswerError) else error
            log.error("failed (trace %s): %s", trace.id, error, exc_info=place)  # noqa: TRY400  # see place
            mistake = Problem("internal_error", "A mistake of the plugin; its log tells more.")
            status, body, headers = rendered(mistake, trace.id)
        headers |= {"X-Trace-Id": trace.id, "X-Schema-Version": SCHEMA_VERSION}
        milliseconds = (time.perf_counter() - began) * 1000
        log.info("%s %s %d %.1f ms trace %s", request.method, request.path, status, milliseconds,
                 trace.id)  # fmt: skip
        kind = "application/json" if status == 200 else "application/problem+json"
        content = json.dumps(body).encode()
        return web.Response(status=status, body=content, content_type=kind, headers=headers)

    async def _route(self, request: web.Request, trace: _Trace) -> Json:
        methods = self.contract.paths.get(request.path)
        if methods is None or request.raw_path.partition("?")[0] != request.path:
            raise Problem("not_found", "There is nothing at this path.")
        if request.method not in methods:
            allow = ", ".join(sorted(methods))
            raise Problem(
                "method_not_allowed", f"This path serves {allow}.", headers={"Allow": allow}
            )
        if request.path == "/invoke":
            check_version(request)
        if not accepts_json(request):
            raise Problem("not_acceptable", "The operation answers with application/json.")
        if request.path == "/health":
            return {"status": "ok", "version": self._manifest["version"]}
        if request.path == "/manifest":
            return self._manifest
        return await self._invoke(request, trace)

    async def _invoke(self, request: web.Request, trace: _Trace) -> Json:
        self._check_bearer(request)
        if faults := self.contract.header_faults(request.headers):
            refuse(*faults)
        content = await read(request)
        if self.secret and not is_signed(self.secret, request.headers, content, time.time()):
            detail = "The signature does not fit the body and the last five minutes."
            raise Problem("invalid_credentials", detail, headers=CHALLENGE)
        body = parsed(content)
        if faults := self.contract.request_faults(body):
            refuse(*faults)
        if not UUID.fullmatch(request.headers.get("X-Trace-Id", "")):
            trace.id = body["trace_id"].lower()
        key = body["invocation_id"].lower()
        if request.headers["X-Invocation-Id"].lower() != key:
            message = "It must equal invocation_id of the body"
            refuse(fault("header", "/X-Invocation-Id", "mismatch", message))
        seconds = deadline(request, body) * SHARE_OF_DEADLINE
        answer = await self._once.answer(key, lambda: self._made(Call(body)), seconds)
        return {**answer, "trace_id": body["trace_id"].lower()}

    async def _made(self, call: Call) -> Json:
        answer = {**await self._answer(call), "trace_id": call.body["trace_id"]}
        if faults := self.contract.response_faults(answer):
            raise InvalidAnswerError(f"the answer breaks the contract: {'; '.join(faults)}")
        return answer

    def _check_bearer(self, request: web.Request) -> None:
        given = request.headers.getall("Authorization", [])
        if not given:
            raise Problem("missing_credentials", "Authorization is missing.", headers=CHALLENGE)
        if self.token is None:  # the core may call a known plugin sooner than it tells the token
            raise overloaded("The plugin is not registered yet.")
        scheme, _, token = given[0].partition(" ")
        good = hmac.compare_digest(
            token.strip().encode("utf-8", "surrogateescape"), self.token.encode()
        )
        if len(given) > 1 or scheme.lower() != "bearer" or not good:
            detail = "Authorization must carry the invocation_token of the registration as Bearer."
            raise Problem("invalid_credentials", detail, headers=CHALLENGE)
