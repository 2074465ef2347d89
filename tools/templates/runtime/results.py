"""What goes out: bodies, problems, and the headers that every answer carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel
from starlette.types import Send

from generated.runtime import trace
from generated.runtime.problems import ProblemError
from generated.runtime.streams import Chunks

SCHEMA_VERSION = "v1alpha"
NO_HEADERS: Mapping[str, str] = {}
Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Rendered(Generic[Body]):
    """A body that is bytes already, of the declared model: stored answers are sent so."""

    content: bytes


def render(body: Body) -> Rendered[Body]:
    return Rendered(body.__pydantic_serializer__.to_json(body))


def content_of(body: BaseModel | Rendered[Body]) -> bytes:
    return body.content if isinstance(body, Rendered) else render(body).content


@dataclass(frozen=True, slots=True)
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


async def send_reply(send: Send, reply: Reply, more: Mapping[str, str] = NO_HEADERS) -> None:
    """The whole answer; of a stream the beginning. What `reply` says itself goes before `more`."""
    headers = [
        (b"content-type", reply.media_type.encode()),
        (b"x-trace-id", (trace.current() or "").encode()),
        (b"x-schema-version", SCHEMA_VERSION.encode()),
    ]
    if reply.chunks is None:
        headers.append((b"content-length", str(len(reply.content)).encode()))
    given = {**more, **reply.headers} if more else reply.headers
    headers += [(name.lower().encode(), value.encode()) for name, value in given.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.chunks is None:
        await send({"type": "http.response.body", "body": reply.content})
