# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Between the socket and a handler: an endpoint for each path, and the one way out."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing

from starlette.types import Receive, Scope, Send

from generated.errors import (
    InternalError,
    MethodNotAllowed,
    MissingCredentials,
    NotFound,
    Overloaded,
    RateLimited,
)
from generated.runtime import emits, trace
from generated.runtime.call import (
    Call,
    ClientDisconnectedError,
    Edge,
    Observer,
    Operation,
    Translator,
    repeated,
)
from generated.runtime.credentials import (
    Credential,
    Principal,
    authenticate,
    authenticate_either,
    authenticate_if_given,
    bearer_credential,
    header_credential,
    proved,
    require_scopes,
    required,
)
from generated.runtime.idempotency import Idempotency, idempotency
from generated.runtime.limits import Limit
from generated.runtime.owners import owned, require_self
from generated.runtime.problems import ProblemError
from generated.runtime.results import (
    SCHEMA_VERSION,
    Rendered,
    Reply,
    Result,
    content_of,
    problem_reply,
    render,
    send_reply,
)
from generated.runtime.streams import Chunks, send_chunks

# What the generated operations and the handlers need, from one place.
__all__ = [
    "ANSWER",
    "SCHEMA_VERSION",
    "Call",
    "Chunks",
    "ClientDisconnectedError",
    "Credential",
    "Edge",
    "Endpoint",
    "Idempotency",
    "Limit",
    "Observer",
    "Operation",
    "Principal",
    "Rendered",
    "Reply",
    "Result",
    "Translator",
    "UndeclaredResultError",
    "UnknownPath",
    "answer_problem",
    "authenticate",
    "authenticate_either",
    "authenticate_if_given",
    "bearer_credential",
    "content_of",
    "header_credential",
    "idempotency",
    "owned",
    "problem_reply",
    "proved",
    "render",
    "require_scopes",
    "require_self",
    "required",
    "send_reply",
]


# Under this key of a scope stands what was answered, for who measures around the application: the
# operation's id (`none` for what reached none), the status and the problem's code.
ANSWER = "contract.answer"
EVENT_STREAM = "text/event-stream"


class UndeclaredResultError(Exception):
    """A handler sent what its operation does not declare: our mistake, and so a 500."""


Run = Callable[[Call], Awaitable[Result]]


class Endpoint:
    """All operations of one path, as an ASGI application."""

    def __init__(self, edge: Edge, operations: Mapping[str, tuple[Operation, Run]]) -> None:
        self._edge = edge
        self._operations = operations
        self._allow = ", ".join(sorted(operations))

    @property
    def operations(self) -> Mapping[str, str]:
        """The id of each method's operation."""
        return {method: operation.id for method, (operation, _) in self._operations.items()}

    @property
    def is_open(self) -> bool:
        """Whether none of its operations asks for credentials."""
        return not any(operation.credentials for operation, _ in self._operations.values())

    @property
    def streams(self) -> bool:
        return any(op.produces == EVENT_STREAM for op, _ in self._operations.values())

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if b"%2f" in (scope.get("raw_path") or b"").lower():  # a server may leave it out
            # The path was matched decoded: an encoded slash would choose another operation.
            return answer_problem(self._edge, scope, send, NotFound())
        headers = dict(scope["headers"])
        found = self._operations.get(scope["method"])
        if found is None:
            problem = MethodNotAllowed(
                f"This path serves {self._allow}.", headers={"Allow": self._allow}
            )
            return answer_problem(self._edge, scope, send, problem)
        operation, run = found
        started = time.perf_counter()
        several = repeated(scope, headers)
        trace_id, named = trace.from_headers(headers, several)
        trace.enter(trace_id)
        emits.enter(operation.emits)
        call = Call(operation, self._edge, scope, receive, headers, several, named)
        return self._answer(call, run, send, started)

    async def _answer(self, call: Call, run: Run, send: Send, started: float) -> None:
        operation, scope = call.operation, call.scope
        try:
            try:
                call.check_headers()
                reply = self._declared_reply(operation, await run(call))
            except ClientDisconnectedError:
                _tell(self._edge, scope, started, (operation.id, 499, "client_disconnected"))
                return
            except asyncio.CancelledError:
                # Whoever stops the process answers for us, with this.
                stopped = (operation.id, Overloaded.status, Overloaded.code)
                _tell(self._edge, scope, started, stopped)
                raise
            except Exception as error:  # noqa: BLE001  # the boundary: whatever it is, it is answered
                told = self._declared_problem(operation, await _charged(call, error))
                reply = problem_reply(told)
            if reply.chunks is not None:
                await self._stream(call, send, reply, reply.chunks, started)
                return
            await send_reply(send, reply, call.limit_headers)
            _tell(self._edge, scope, started, (operation.id, reply.status, reply.code))
        finally:
            call.leave()

    async def _stream(
        self, call: Call, send: Send, reply: Reply, chunks: Chunks, started: float
    ) -> None:
        """It is answered when it begins: what goes wrong later can only break it off."""
        operation = call.operation.id
        async with aclosing(chunks):
            await send_reply(send, reply, more=call.limit_headers)
            _tell(self._edge, call.scope, started, (operation, reply.status, reply.code))
            try:
                await send_chunks(call.scope, call.receive, send, chunks)
            except Exception as error:
                self._edge.observer.failed(operation, error)
                raise

    @staticmethod
    def _declared_reply(operation: Operation, result: Result) -> Reply:
        """The status lock at run time; mypy holds it before."""
        if type(result) not in operation.results:
            raise UndeclaredResultError(f"{type(result).__name__} is no result of {operation.id}")
        reply = result.reply()
        if reply.status != result.status:
            raise UndeclaredResultError(f"{reply.code} is no code of {type(result).__name__}")
        if reply.code is not None and reply.code not in operation.codes:
            raise UndeclaredResultError(f"{reply.code} is no error code of {operation.id}")
        return reply

    def _declared_problem(self, operation: Operation, error: Exception) -> ProblemError:
        """The problem to send: the error's own where the operation declares it, else a 500."""
        problem = error if isinstance(error, ProblemError) else self._edge.translate(error)
        if problem is None or problem.code not in operation.codes:
            self._edge.observer.failed(operation.id, error)
            return InternalError()
        if isinstance(problem, MissingCredentials):
            problem = MissingCredentials(f"Send the header {operation.credentials}.")
        if problem.status == 401 and operation.challenge is not None:
            problem.headers.setdefault("WWW-Authenticate", operation.challenge)
        if problem.status in operation.retry_after:
            problem.headers.setdefault("Retry-After", "1")
        return problem


async def _charged(call: Call, error: Exception) -> Exception:
    """A request that is refused for its values is charged as well: they cost too."""
    try:
        await call.pay()
    except RateLimited as limited:
        return limited
    return error


def _tell(edge: Edge, scope: Scope, started: float, answer: tuple[str, int, str | None]) -> None:
    scope[ANSWER] = answer
    edge.observer.answered(*answer, time.perf_counter() - started)


async def answer_problem(edge: Edge, scope: Scope, send: Send, problem: ProblemError) -> None:
    """For what reaches no operation: an unknown path, a method that the path does not have."""
    started = time.perf_counter()
    headers = dict(scope["headers"])
    trace_id, _ = trace.from_headers(headers, repeated(scope, headers))
    trace.enter(trace_id)
    await send_reply(send, problem_reply(problem))
    _tell(edge, scope, started, ("none", problem.status, problem.code))


class UnknownPath:
    """The ASGI application behind every path that the contract does not name."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await answer_problem(self._edge, scope, send, NotFound())
