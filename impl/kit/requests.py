"""Requests as a check makes them, and as a shell repeats them."""

import json
import shlex
from dataclasses import dataclass, field, replace
from typing import Any, Self
from uuid import uuid4

Json = dict[str, Any]

TOKEN = "$TOKEN"  # noqa: S105  # how a repetition names it
LONGEST_BODY = 4000  # of a command that a person pastes


@dataclass(frozen=True)
class Request:
    """`bearer` None sends none. `shell_body` makes a long body, as a command before curl."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    bearer: str | None = None
    shell_body: str | None = None

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def with_headers(self, **headers: str | None) -> Self:
        """`X_Trace_Id` for X-Trace-Id; None takes one away."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in self.headers.items() if name not in given}
        return replace(self, headers=kept | {n: v for n, v in given.items() if v is not None})

    def with_json(self, body: object) -> Self:
        return replace(self, body=json.dumps(body, ensure_ascii=False).encode())

    @property
    def json(self) -> Json:
        value: Json = json.loads(self.body or b"{}")
        return value

    def sent_headers(self) -> dict[str, str]:
        proof = {} if self.bearer is None else {"Authorization": f"Bearer {self.bearer}"}
        return {**proof, **self.headers}


def curl(url: str, request: Request, token: str | None = None) -> str:
    """One line for a POSIX shell; the plugin's token stands in it as $TOKEN."""
    words = ["curl", "-sS", "-i"]
    if request.method != "GET":
        words += ["-X", request.method]
    words.append(shlex.quote(url.rstrip("/") + request.path))
    for name, value in request.sent_headers().items():
        if token is not None and value == f"Bearer {token}":
            words += ["-H", f'"{name}: Bearer {TOKEN}"']
        else:
            words += ["-H", shlex.quote(f"{name}: {value}")]
    if request.shell_body is not None:
        return f"{request.shell_body} | {' '.join(words)} --data-binary @-"
    if request.body is None:
        return " ".join(words)
    if _is_text(request.body):
        return f"{' '.join(words)} --data-binary {shlex.quote(request.body.decode())}"
    escaped = "".join(f"\\{byte:03o}" for byte in request.body)
    return f"printf '{escaped}' | {' '.join(words)} --data-binary @-"


def _is_text(body: bytes) -> bool:
    try:
        return body.decode().isprintable()
    except UnicodeDecodeError:
        return False


def invocation(manifest: Json | None, **changes: Any) -> Request:
    """A good call, new with each: of the manifest's first golden example where it has one.

    A plugin that can run dry is asked to, so that a check leaves nothing behind.
    """
    manifest = manifest or {}
    example = first(manifest.get("golden_examples")) or {}
    intent = first(manifest.get("intents"))
    tag = intent.get("tag") if isinstance(intent, dict) else intent
    body = {
        "invocation_id": str(uuid4()),
        "dialog_id": str(uuid4()),
        "user_id": str(uuid4()),
        "trace_id": str(uuid4()),
        "intent": example.get("intent", tag),
        "payload": example.get("payload", {"type": "text", "text": "Hello!"}),
        "context": {"messages": [], "locale": example.get("locale") or "en", "metadata": {}},
        "deadline_ms": 8000,
        "dry_run": runs_dry(manifest),
        **changes,
    }
    return call(body)


def call(body: Json) -> Request:
    headers = {
        "Content-Type": "application/json",
        "X-Invocation-Id": body["invocation_id"],
        "X-Trace-Id": body["trace_id"],
        "X-Schema-Version": "v1alpha",
        "X-Deadline-Ms": str(body["deadline_ms"]),
    }
    return Request("POST", "/invoke", headers).with_json(body)


def runs_dry(manifest: Json | None) -> bool:
    capabilities = (manifest or {}).get("capabilities")
    return isinstance(capabilities, dict) and capabilities.get("dry_run") is True


def first(items: object) -> Any:
    return items[0] if isinstance(items, list) and items else None
