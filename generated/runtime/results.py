# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""What goes out: bodies, problems, and the headers that every answer carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel
from starlette.types import Send

from generated.runtime import trace
from generated.runtime.problems import ProblemError
from generated.runtime.streams import Chunks

SCHEMA_VERSION = "v1alpha"
_SCHEMA_VERSION_HEADER = (b"x-schema-version", SCHEMA_VERSION.encode())
NO_HEADERS: Mapping[str, str] = {}
Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Rendered(Generic[Body]):
    """A body that is bytes already, of the declared model: stored answers are sent so."""

    content: bytes


def render(body: Body) -> Rendered[Body]:
    return Rendered(body.__pydantic_serializer__.to_json(body))


def content_of(body: BaseModel | Rendered[Body]) -> bytes:
    if isinstance(body, Rendered):
        return body.content
    return body.__pydantic_serializer__.to_json(body)


@dataclass(slots=True)  # one for each request: frozen, it would take three times as long to make
class Reply:
    status: int
    media_type: str
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str | None = None  # of a problem
    chunks: Chunks | None = None  # of a stream, which has them instead of its content


class Result(Protocol):
    """What a handler returns: one generated class for each operation and status."""

    @property
    def status(self) -> int: ...

    def reply(self) -> Reply: ...


def problem_reply(problem: ProblemError) -> Reply:
    content = problem.body(trace.current() or "")
    return Reply(problem.status, "application/problem+json", content, problem.headers, problem.code)


@cache  # of the contract's names alone, as both below
def _wire_name(name: str) -> bytes:
    return name.lower().encode()


@cache
def _content_type(media_type: str) -> tuple[bytes, bytes]:
    return b"content-type", media_type.encode()


async def send_reply(send: Send, reply: Reply, more: Mapping[str, str] = NO_HEADERS) -> None:
    """The whole answer; of a stream the beginning. What `reply` says itself goes before `more`."""
    headers = [
        _content_type(reply.media_type),
        (b"x-trace-id", (trace.current() or "").encode()),
        _SCHEMA_VERSION_HEADER,
    ]
    if reply.chunks is None:
        headers.append((b"content-length", b"%d" % len(reply.content)))
    given = {**more, **reply.headers} if more else reply.headers
    headers += [(_wire_name(name), value.encode()) for name, value in given.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.chunks is None:
        await send({"type": "http.response.body", "body": reply.content})
