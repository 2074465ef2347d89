"""A hostile request, byte for byte, and the problem that it is answered with."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

# Stands in what nobody may see again: not in an answer, a log line, a metric or a row.
MARK = "zq7hostile"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class World:
    """What is there, and who may ask for it."""

    url: str
    bot_token: str
    plugin_token: str
    admin_key: str
    registry_key: str
    bot: UUID
    user: str
    dialog: str  # the user's, with a message
    message: str
    plugin: str
    plugin_url: str

    def credential(self, who: str) -> list[tuple[str, str]]:
        return {
            "bot": [("X-Bot-Token", self.bot_token)],
            "plugin": [("Authorization", f"Bearer {self.plugin_token}")],
            "admin": [("X-Admin-Key", self.admin_key)],
            "registry": [("X-Registry-Key", self.registry_key)],
            "nobody": [],
        }[who]


Headers = Iterable[tuple[str, str]]
Body = bytes | Callable[[World], Any] | dict[str, Any] | list[Any] | None


@dataclass(frozen=True, slots=True)
class Case:
    """`pointer` and `fault` are the first fault's place and code, where they must be these; `code`
    is None where HTTP itself is broken: what speaks it knows no problems."""

    name: str
    send: Callable[[World], bytes]
    status: int
    code: str | None
    pointer: str | None = None
    fault: str | None = None


def written(
    method: str, target: str, headers: Headers, body: bytes | None, *, length: bool = True
) -> bytes:
    """Header values are Latin-1, as HTTP has them; what they hold is not looked at."""
    lines = [f"{method} {target} HTTP/1.1", "Host: botcore.example", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None and length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def asked(
    name: str,
    request: str,
    who: str = "bot",
    body: Body = None,
    *,
    status: int = 422,
    code: str = "validation_failed",
    pointer: str | None = None,
    fault: str | None = None,
    headers: Headers = (),
    media_type: str | None = JSON,
) -> Case:
    """`request` is a method and a target, in which members of the world stand in braces."""
    method, _, target = request.partition(" ")
    given = tuple(headers)

    def send(world: World) -> bytes:
        content = body(world) if callable(body) else body
        raw = content if isinstance(content, bytes | None) else json.dumps(content).encode()
        kind = [("Content-Type", media_type)] if raw is not None and media_type else []
        values = {each: getattr(world, each) for each in World.__slots__}
        filled = target
        for key, value in values.items():
            filled = filled.replace(f"{{{key}}}", str(value))
        return written(method, filled, [*world.credential(who), *kind, *given], raw)

    return Case(name, send, status, code, pointer, fault)


def raw(name: str, send: Callable[[World], bytes], status: int, code: str | None = None) -> Case:
    """Whatever is on the wire."""
    return Case(name, send, status, code)
