"""One request: what is read of it, and what is checked while it is read."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.types import Receive, Scope

from generated.errors import (
    BodyTooLarge,
    InvalidJson,
    NotAcceptable,
    Overloaded,
    RateLimited,
    UnsupportedMediaType,
    UnsupportedSchemaVersion,
    ValidationFailed,
)
from generated.runtime import trace
from generated.runtime.accept import accepts
from generated.runtime.limits import (
    AnyPlaces,
    Charge,
    Limit,
    Limiter,
    Places,
    headers_of,
    places_taken,
)
from generated.runtime.preferences import preferences
from generated.runtime.problems import InvalidValue, Location, ProblemError, pointer
from generated.runtime.results import SCHEMA_VERSION

MAX_QUERY_FIELDS = 64
MAX_LENGTH_DIGITS = 19
_CHARSET = re.compile(rb'application/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE)

_DESCRIBING = frozenset({b"content-type", b"content-encoding", b"transfer-encoding"})
_NONE: frozenset[bytes] = frozenset()
_NOTHING: frozenset[str] = frozenset()


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
    limiter: Limiter
    max_body_bytes: int
    places: Places = AnyPlaces()  # noqa: RUF009  # it holds nothing


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
    credentials: str  # the headers that prove who calls; empty where nobody need
    retry_after: frozenset[int]  # the statuses that say when to come back
    emits: frozenset[str]  # the events that it may publish


def repeated(scope: Scope, headers: dict[bytes, bytes]) -> frozenset[bytes]:
    """The names that came in several lines: one reader takes the first, another the last."""
    if len(headers) == len(scope["headers"]):
        return _NONE
    counts = Counter(name for name, _ in scope["headers"])
    return frozenset(name for name, count in counts.items() if count > 1)


def _given_twice(location: Location, name: str) -> InvalidValue:
    return InvalidValue(location, pointer(name), "given_twice", "Give it once")


class ClientDisconnectedError(Exception):
    """The caller is gone; nobody is left to answer."""


@dataclass(slots=True)
class Call:
    """One request on its way to a handler."""

    operation: Operation
    edge: Edge
    scope: Scope
    receive: Receive
    headers: dict[bytes, bytes]  # the last line of each
    repeated: frozenset[bytes]  # the names that came in several lines
    trace_named: bool
    owed: tuple[Charge, ...] = ()
    limit_headers: Mapping[str, str] = field(default_factory=dict)
    place_of: str | None = None  # the token that is one request nearer to its bound

    def enter(self, token_id: str) -> None:
        """Takes one of the token's places, until the request ends. Raises RateLimited, or
        Overloaded where the operation knows no limits."""
        if self.edge.places.take(token_id):
            self.place_of = token_id
            return
        detail = "As many requests of the token are under way as may be."
        if RateLimited.code not in self.operation.codes:
            raise Overloaded(detail)
        raise RateLimited(detail, headers={"Retry-After": "1", **places_taken(self.edge.places)})

    def leave(self) -> None:
        if self.place_of is not None:
            self.edge.places.give_back(self.place_of)
            self.place_of = None

    def owe(self, limit: Limit, subject_id: UUID) -> None:
        """From here on the request is charged, however it ends."""
        self.owed = (*self.owed, Charge(limit, subject_id))

    async def pay(self) -> None:
        """Charges what is owed, all at once. Raises RateLimited."""
        owed, self.owed = self.owed, ()
        if owed:
            verdict = await self.edge.limiter.charge(owed)
            self.limit_headers = headers_of(verdict.standings)
            if verdict.retry_after:
                raise RateLimited(headers={"Retry-After": str(verdict.retry_after)})

    def check_headers(self) -> None:
        version = self.headers.get(b"x-schema-version")
        if version is not None and self.operation.versioned:
            unserved = version != SCHEMA_VERSION.encode()
            if unserved or b"x-schema-version" in self.repeated:
                raise UnsupportedSchemaVersion(f"Supported schema versions: {SCHEMA_VERSION}.")
        if b"accept" in self.headers and not accepts(self._accept(), self.operation.produces):
            raise NotAcceptable(f"The operation answers with {self.operation.produces}.")

    def _accept(self) -> str:
        # A list may come in several lines (RFC 9110, 5.3).
        lines = (value for name, value in self.scope["headers"] if name == b"accept")
        return b",".join(lines).decode("latin-1")

    def header_values(self, names: Mapping[str, bytes]) -> dict[str, str]:
        """Those of the headers `names`, by the contract's name and on the wire, that are there.
        Raises ValidationFailed for one in several lines."""
        if self.repeated:
            twice = [name for name, wire in names.items() if wire in self.repeated]
            if twice:
                raise ValidationFailed(errors=[_given_twice("header", name) for name in twice])
        found = {}
        for name, wire in names.items():
            value = self.headers.get(wire)
            if value is not None:
                found[name] = value.decode("latin-1")
        return found

    def preferences(self) -> frozenset[str]:
        """What `Prefer` asks for, by name; one that means nothing to the operation is among it."""
        if b"prefer" not in self.headers:
            return _NOTHING
        return preferences(value for name, value in self.scope["headers"] if name == b"prefer")

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
            raise ValidationFailed(errors=[_given_twice("query", twice)])
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

    def _check_media_type(self) -> None:
        if self.repeated and self.repeated & _DESCRIBING:
            raise UnsupportedMediaType("Describe the body once.")
        named = self.headers.get(b"content-type", b"")
        if named != b"application/json" and not _CHARSET.fullmatch(named):
            raise UnsupportedMediaType("Send the body as application/json in UTF-8.")
        coding = self.headers.get(b"content-encoding")
        if coding is not None and coding.lower() != b"identity":
            raise UnsupportedMediaType("Send the body as it is, without Content-Encoding.")
        # The server undoes `chunked` and passes any other coding on undone.
        coding = self.headers.get(b"transfer-encoding")
        if coding is not None and coding.strip().lower() != b"chunked":
            raise UnsupportedMediaType("Send the body without a Transfer-Encoding but chunked.")

    async def body(self) -> bytes:
        """The whole body. Raises UnsupportedMediaType or BodyTooLarge, counted as it streams."""
        self._check_media_type()
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
