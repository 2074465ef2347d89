# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Between the socket and a handler: credentials, headers, body, and the one way out."""

import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from generated.errors import (
    BodyTooLarge,
    InsufficientScope,
    InternalError,
    InvalidCredentials,
    InvalidJson,
    MethodNotAllowed,
    MissingCredentials,
    NotAcceptable,
    NotFound,
    UnsupportedMediaType,
    UnsupportedSchemaVersion,
    ValidationFailed,
)
from generated.runtime import trace
from generated.runtime.problems import InvalidValue, ProblemError, pointer

SCHEMA_VERSION = "v1alpha"
MAX_QUERY_FIELDS = 64
MAX_LENGTH_DIGITS = 19
Body = TypeVar("Body", bound=BaseModel)
Identity = TypeVar("Identity", bound="Principal")
_CHARSET = re.compile(rb'application/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rendered(Generic[Body]):
    """A body that is bytes already, of the declared model: stored answers are sent so."""

    content: bytes


def render(body: Body) -> Rendered[Body]:
    return Rendered(body.__pydantic_serializer__.to_json(body))


def content_of(body: BaseModel | Rendered[Body]) -> bytes:
    return body.content if isinstance(body, Rendered) else render(body).content


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, as proved by a credential."""

    token_id: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    media_type: str
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str | None = None  # of a problem


class Result(Protocol):
    """What a handler returns: one generated class for each operation and status."""

    @property
    def status(self) -> int: ...

    def reply(self) -> Reply: ...


class Observer(Protocol):
    """Is told of every answer and of every mistake of ours."""

    def answered(self, operation: str, status: int, code: str | None, seconds: float) -> None: ...

    def failed(self, operation: str, error: Exception) -> None: ...


class Translator(Protocol):
    """Turns what a handler's libraries raise into a declared problem; None for a mistake."""

    def __call__(self, error: Exception) -> ProblemError | None: ...


@dataclass(frozen=True, slots=True)
class Edge:
    """What the generated operations need of the process that they run in."""

    observer: Observer
    translate: Translator
    max_body_bytes: int


@dataclass(frozen=True, slots=True)
class Operation:
    """What the contract says of an operation, for the checks that all of them share."""

    id: str
    produces: str
    takes_body: bool
    versioned: bool
    codes: frozenset[str]
    results: tuple[type, ...]
    challenge: str | None
    retry_after: frozenset[int]  # the statuses that say when to come back


class ClientDisconnectedError(Exception):
    """The caller is gone; nobody is left to answer."""


@dataclass(slots=True)
class Call:
    """One request on its way to a handler."""

    operation: Operation
    edge: Edge
    scope: Scope
    receive: Receive
    headers: dict[bytes, bytes]
    trace_named: bool

    def check_headers(self) -> None:
        version = self.headers.get(b"x-schema-version")
        if self.operation.versioned and version not in (None, SCHEMA_VERSION.encode()):
            raise UnsupportedSchemaVersion(f"Supported schema versions: {SCHEMA_VERSION}.")
        if b"accept" in self.headers and not accepts(self._accept(), self.operation.produces):
            raise NotAcceptable(f"The operation answers with {self.operation.produces}.")

    def _accept(self) -> str:
        # A list may come in several lines (RFC 9110, 5.3).
        lines = (value for name, value in self.scope["headers"] if name == b"accept")
        return b",".join(lines).decode("latin-1")

    def header_values(self, *names: str) -> dict[str, str]:
        found = ((name, self.headers.get(name.lower().encode())) for name in names)
        return {name: value.decode("latin-1") for name, value in found if value is not None}

    def query(self) -> dict[str, str]:
        """The query's parameters. Raises ValidationFailed for one that is given twice."""
        raw = self.scope["query_string"].decode("latin-1")
        if not raw:
            return {}
        try:
            pairs = parse_qsl(raw, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS)
        except ValueError:
            fault = InvalidValue("query", "", "too_many", f"At most {MAX_QUERY_FIELDS} parameters")
            raise ValidationFailed(errors=[fault]) from None
        values = dict(pairs)
        if len(values) != len(pairs):
            twice = next(name for name, count in Counter(n for n, _ in pairs).items() if count > 1)
            fault = InvalidValue("query", pointer(twice), "given_twice", "Give it once")
            raise ValidationFailed(errors=[fault])
        return values

    def refuse_query(self) -> None:
        """For an operation without query parameters: unknown ones are never silently dropped."""
        if self.scope["query_string"]:
            faults = [
                InvalidValue("query", pointer(name), "extra_forbidden", "No such parameter")
                for name in self.query()
            ]
            if faults:
                raise ValidationFailed(errors=faults)

    def adopt_trace(self, trace_id: object) -> None:
        """The body's trace id serves where the header named none."""
        if trace_id is not None and not self.trace_named:
            trace.enter(str(trace_id))

    async def body(self) -> bytes:
        """The whole body. Raises UnsupportedMediaType or BodyTooLarge, counted as it streams."""
        if not _CHARSET.fullmatch(self.headers.get(b"content-type", b"")):
            raise UnsupportedMediaType("Send the body as application/json in UTF-8.")
        if self.headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise UnsupportedMediaType("Send the body as it is, without Content-Encoding.")
        limit = self.edge.max_body_bytes
        declared = self.headers.get(b"content-length", b"0")
        if len(declared) > MAX_LENGTH_DIGITS or not declared.isdigit() or int(declared) > limit:
            raise BodyTooLarge(f"The body exceeds {limit} bytes.")
        chunks, size, more = [], 0, True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnectedError
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise BodyTooLarge(f"The body exceeds {limit} bytes.")
            chunks.append(chunk)
            more = message.get("more_body", False)
        if not size:
            raise InvalidJson("The body is empty; a JSON object is expected.")
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def accepts(accept: str, media_type: str) -> bool:
    """Whether `Accept` admits `media_type` (RFC 9110, 12.5.1: the most specific range decides)."""
    kind = media_type.split("/", 1)[0]
    ranks = {media_type: 3, f"{kind}/*": 2, "*/*": 1}
    best, quality = 0, 0.0
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        rank = ranks.get(name, 0)
        if rank > best:
            best, quality = rank, _quality(parameters)
    return quality > 0 or not accept.strip()


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


async def authenticate(
    verify: Callable[[str], Awaitable[Identity | None]], credential: str | None
) -> Identity:
    if credential is None:
        raise MissingCredentials
    identity = await verify(credential)
    if identity is None:
        raise InvalidCredentials
    return identity


async def authenticate_if_given(
    verify: Callable[[str], Awaitable[Identity | None]], credential: str | None
) -> Identity | None:
    return None if credential is None else await authenticate(verify, credential)


def require_scopes(principal: Principal, scopes: frozenset[str]) -> None:
    missing = scopes - principal.scopes
    if missing:
        raise InsufficientScope(f"The token lacks the scope {', '.join(sorted(missing))}.")


def header_credential(call: Call, name: bytes) -> str | None:
    value = call.headers.get(name)
    return None if value is None else value.decode("latin-1")


def bearer_credential(call: Call) -> str | None:
    value = call.headers.get(b"authorization")
    if value is None:
        return None
    scheme, _, credential = value.decode("latin-1").partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidCredentials("Authorization must use the scheme Bearer.")
    return credential.strip()


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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        found = self._operations.get(scope["method"])
        if found is None:
            problem = MethodNotAllowed(
                f"This path serves {self._allow}.", headers={"Allow": self._allow}
            )
            await answer_problem(self._edge, scope, send, problem)
            return
        operation, run = found
        started = time.perf_counter()
        trace_id, named = trace.from_headers(headers)
        trace.enter(trace_id)
        call = Call(operation, self._edge, scope, receive, headers, named)
        try:
            call.check_headers()
            result = await run(call)
            reply = self._declared_reply(operation, result)
        except ClientDisconnectedError:
            self._edge.observer.answered(
                operation.id, 499, "client_disconnected", time.perf_counter() - started
            )
            return
        except Exception as error:  # noqa: BLE001  # the boundary: whatever it is, it is answered
            reply = problem_reply(self._declared_problem(operation, error))
        await send_reply(send, reply)
        self._edge.observer.answered(
            operation.id, reply.status, reply.code, time.perf_counter() - started
        )

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
        if problem.status == 401 and operation.challenge is not None:
            problem.headers.setdefault("WWW-Authenticate", operation.challenge)
        if problem.status in operation.retry_after:
            problem.headers.setdefault("Retry-After", "1")
        return problem


async def answer_problem(edge: Edge, scope: Scope, send: Send, problem: ProblemError) -> None:
    """For what reaches no operation: an unknown path, a method that the path does not have."""
    trace_id, _ = trace.from_headers(dict(scope["headers"]))
    trace.enter(trace_id)
    await send_reply(send, problem_reply(problem))
    edge.observer.answered("none", problem.status, problem.code, 0.0)


class UnknownPath:
    """The ASGI application behind every path that the contract does not name."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await answer_problem(self._edge, scope, send, NotFound())


def problem_reply(problem: ProblemError) -> Reply:
    content = problem.body(trace.current() or "")
    return Reply(problem.status, "application/problem+json", content, problem.headers, problem.code)


async def send_reply(send: Send, reply: Reply) -> None:
    headers = [
        (b"content-type", reply.media_type.encode()),
        (b"content-length", str(len(reply.content)).encode()),
        (b"x-trace-id", (trace.current() or "").encode()),
        (b"x-schema-version", SCHEMA_VERSION.encode()),
    ]
    headers += [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.content})
