"""The generated routers with stub handlers, called without a socket."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, cast
from urllib.parse import unquote
from uuid import UUID

from starlette.types import Message, Scope

from generated import models
from generated.core.dialogs import AddDialogMessage200
from generated.core.security import AdminKey, BotToken, PluginToken, RegistryKey
from generated.core.service import GetHealth200
from generated.errors import DatabaseUnavailable
from generated.runtime import emits, trace
from generated.runtime.edge import Credential, Edge, UnknownPath
from generated.runtime.limits import Charge, Standing, Verdict
from generated.runtime.paths import Paths
from generated.runtime.problems import ProblemError
from tools.bundler import bundle

DIALOG = UUID("9d6f0c1e-8a55-4a0e-9a44-6c1a3f1b2c3d")
USER = UUID("0b9f6a52-7f6f-4f3e-8f3c-5d1f7f5f2a11")
PLUGIN = UUID("5a4b3c2d-1e0f-4a9b-8c7d-6e5f4a3b2c1d")
TRACE = UUID("7f1d2c3e-5b6a-4c8d-9e0f-112233445566")
MESSAGES = f"/api/v1/dialogs/{DIALOG}/messages"
GOOD = "good-token"
TAGS = [tag["name"] for tag in bundle("openapi.yaml")["tags"]]
MAX_BODY = 2048


class DatabaseAwayError(Exception):
    """What a driver raises; `translate` makes a declared problem of it."""


@dataclass
class Observer:
    answers: list[tuple[str, int, str | None]] = field(default_factory=list)
    failures: list[tuple[str, Exception]] = field(default_factory=list)

    def answered(self, operation: str, status: int, code: str | None, seconds: float) -> None:
        assert seconds >= 0
        self.answers.append((operation, status, code))

    def failed(self, operation: str, error: Exception) -> None:
        self.failures.append((operation, error))


@dataclass
class Authenticator:
    scopes: frozenset[str] = frozenset({"dialogs:write", "dialogs:read", "plugins:register"})

    async def bot_token(self, credential: Credential) -> BotToken | None:
        return BotToken("t1", self.scopes, DIALOG) if credential.text == GOOD else None

    async def plugin_token(self, credential: Credential) -> PluginToken | None:
        return PluginToken("t2", self.scopes, PLUGIN) if credential.text == GOOD else None

    async def registry_key(self, credential: Credential) -> RegistryKey | None:
        return RegistryKey("t3", self.scopes) if credential.text == GOOD else None

    async def admin_key(self, credential: Credential) -> AdminKey | None:
        return AdminKey("t4", self.scopes) if credential.text == GOOD else None


@dataclass
class Limiter:
    """Says `verdict`, and keeps what it was asked."""

    verdict: Verdict | None = None
    charges: list[Sequence[Charge]] = field(default_factory=list)

    async def charge(self, charges: Sequence[Charge]) -> Verdict:
        self.charges.append(charges)
        return self.verdict or Verdict([Standing("bot", 10, 60, 9, 6)])


@dataclass
class Places:
    """Gives places as long as `most` are not taken, and keeps to whom."""

    most: int = 1
    given: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def take(self, token_id: str) -> bool:
        if len(self.taken) >= self.most:
            return False
        self.given.append(token_id)
        self.taken.append(token_id)
        return True

    def give_back(self, token_id: str) -> None:
        self.taken.remove(token_id)


@dataclass
class Handlers:
    """Every operation answers with `outcome`, or raises it; `seen` is what the last one got."""

    outcome: Any = None
    seen: tuple[Any, ...] = ()
    trace_seen: str | None = None
    publishes: str | None = None

    def __getattr__(self, name: str) -> Any:
        async def handle(*arguments: Any) -> Any:
            self.seen = arguments
            self.trace_seen = trace.current()
            if self.publishes is not None:
                emits.require(self.publishes)
            if isinstance(self.outcome, Exception):
                raise self.outcome
            return self.outcome

        return handle


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def code(self) -> str:
        assert self.headers["content-type"] == "application/problem+json"
        problem = models.Problem.model_validate_json(self.content, strict=True)
        assert problem.status == self.status
        assert str(problem.trace_id) == self.headers["x-trace-id"]
        return str(problem.code)

    @property
    def pointers(self) -> list[str]:
        return [item["pointer"] for item in self.json["errors"]]


@dataclass
class Service:
    observer: Observer = field(default_factory=Observer)
    authenticator: Authenticator = field(default_factory=Authenticator)
    handlers: Handlers = field(default_factory=Handlers)
    limiter: Limiter = field(default_factory=Limiter)
    places: Places = field(default_factory=Places)
    read: int = 0  # pieces of the last body that were read

    def __post_init__(self) -> None:
        edge = Edge(self.observer, self._translate, self.limiter, MAX_BODY, self.places)
        handlers = cast("Any", self.handlers)
        routers = [
            getattr(import_module(f"generated.core.{tag}"), f"{tag}_router")(
                handlers, self.authenticator, edge
            )
            for tag in TAGS
        ]
        self.routes = [route for router in routers for route in router.routes]
        self.app = Paths(self.routes, UnknownPath(edge))

    @staticmethod
    def _translate(error: Exception) -> ProblemError | None:
        return DatabaseUnavailable() if isinstance(error, DatabaseAwayError) else None

    async def call(
        self,
        method: str,
        path: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | Sequence[bytes] = b"",
        query: str = "",
    ) -> Answer:
        scope: Scope = {
            "type": "http", "method": method, "path": unquote(path), "raw_path": path.encode(),
            "root_path": "", "query_string": query.encode("latin-1"),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        }  # fmt: skip
        pieces = [body] if isinstance(body, bytes) else list(body)
        sent: list[Message] = []
        self.read = 0

        async def receive() -> Message:
            if self.read == len(pieces):
                return {"type": "http.disconnect"}
            self.read += 1
            more = self.read < len(pieces)
            return {"type": "http.request", "body": pieces[self.read - 1], "more_body": more}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        return _answer(sent)

    async def add_message(
        self, body: bytes | Sequence[bytes] | None = None, *more: tuple[str, str], query: str = ""
    ) -> Answer:
        """A call that would succeed, but for what the test changes of it."""
        named = {name.lower() for name, _ in more}
        usual = {"x-bot-token": GOOD, "content-type": "application/json"}
        headers = [*((name, value) for name, value in usual.items() if name not in named), *more]
        content = message() if body is None else body
        return await self.call("POST", MESSAGES, headers=headers, body=content, query=query)


def _answer(sent: list[Message]) -> Answer:
    if not sent:
        return Answer(0, {}, b"")
    start, *rest = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    assert len(headers) == len(start["headers"]), "a header was sent twice"
    content = b"".join(item.get("body", b"") for item in rest)
    assert headers["content-length"] == str(len(content))
    assert headers["x-schema-version"] == "v1alpha"
    UUID(headers["x-trace-id"])
    return Answer(start["status"], headers, content)


def message(**changes: Any) -> bytes:
    whole = {"user_id": str(USER), "payload": {"type": "text", "text": "Hello!"}} | changes
    return json.dumps(whole).encode()


def stored() -> AddDialogMessage200:
    body = models.DialogMessageResponseV1(
        dialog_id=DIALOG, trace_id=TRACE, plugin_responses=[], usage=None, status="accepted",
        error=None,
    )  # fmt: skip
    return AddDialogMessage200(body=body, owner=DIALOG, location=f"{MESSAGES}/m1")


def healthy() -> GetHealth200:
    return GetHealth200(body=models.HealthV1(status="ok", version="1.0.0"))
