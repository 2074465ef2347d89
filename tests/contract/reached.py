"""Which answers the operations really gave, seen from the server's side."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTRACT = Path(__file__).parents[2] / "generated" / "openapi.json"
METHODS = ("get", "put", "post", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: re.Pattern[str]
    successes: frozenset[int]


def operations() -> list[Operation]:
    """The contract's; the paths without parameters first, as the longer match."""
    contract: dict[str, Any] = json.loads(CONTRACT.read_text())
    found = []
    for path in sorted(contract["paths"], key=lambda path: "{" in path):
        pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
        for method in METHODS:
            spec = contract["paths"][path].get(method)
            if spec is not None:
                successes = frozenset(int(status) for status in spec["responses"] if status < "3")
                found.append(Operation(spec["operationId"], method.upper(), pattern, successes))
    return found


@dataclass
class Reached:
    """Every answer by operation, status and bot; of all the servers that it wraps."""

    bots: dict[bytes, str]  # the name for each token
    answers: set[tuple[str, int, str | None]] = field(default_factory=set)
    operations: list[Operation] = field(default_factory=operations)

    def missed(self) -> list[tuple[str, int]]:
        """The declared successes that no request got."""
        reached = {(name, status) for name, status, _ in self.answers}
        return sorted(
            (operation.id, status)
            for operation in self.operations
            for status in operation.successes
            if (operation.id, status) not in reached
        )

    def wrap(self, app: ASGIApp) -> ASGIApp:
        async def recording(scope: Scope, receive: Receive, send: Send) -> None:
            async def note(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self._note(scope, message["status"])
                await send(message)

            await app(scope, receive, note)

        return recording

    def _note(self, scope: Scope, status: int) -> None:
        for operation in self.operations:
            if scope["method"] == operation.method and operation.path.fullmatch(scope["path"]):
                bot = self.bots.get(dict(scope["headers"]).get(b"x-bot-token", b""))
                self.answers.add((operation.id, status, bot))
                return
