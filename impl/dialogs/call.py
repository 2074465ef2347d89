"""A call of a plugin, and how it ended."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import orjson

from generated.runtime.events import Event
from impl.dialogs.message import Message, MessageKey

# The error code of a call that a reset of its dialog made pointless.
RESET: Literal["dialog_reset"] = "dialog_reset"


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A call that stands in `plugin_calls`. `request` is the body for the plugin.

    `attempt` fences whoever made it before; `excused` of these attempts were never really made.
    """

    key: MessageKey
    plugin_id: UUID
    base_url: str
    invocation_id: UUID
    trace_id: UUID
    attempt: int
    request: bytes
    replaces: UUID | None = None  # the call that failed, for which this one answers
    excused: int = 0

    @property
    def tries(self) -> int:
        return self.attempt - self.excused


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended. The JSON members are bytes, or None."""

    status: str
    event: Event
    error_code: str | None
    response_payload: bytes | None
    latency_ms: int
    reply_payload: bytes | None
    usage: bytes | None
    response: bytes

    @property
    def severity(self) -> str:
        """Of its event: a reset is nobody's failure."""
        return "info" if self.error_code in (None, RESET) else "warning"


def invocation_request(
    message: Message, *, invocation_id: UUID, intent: str | None, locale: str | None, seconds: float
) -> dict[str, Any]:
    """A PluginInvocationRequestV1 as `plugin_calls` keeps it: without the context's messages."""
    return {
        "invocation_id": invocation_id,
        "dialog_id": message.dialog_id,
        "user_id": message.user_id,
        "trace_id": message.trace_id,
        "intent": intent,
        "payload": orjson.Fragment(message.content),
        "context": {"locale": locale, "metadata": message.metadata},
        "deadline_ms": int(seconds * 1000),
        "dry_run": False,
    }


def for_another(request: bytes, *, invocation_id: UUID, seconds: float) -> bytes:
    """The body of a call, for the plugin that answers instead of the one that it was meant for."""
    changed = {"invocation_id": invocation_id, "intent": None, "deadline_ms": int(seconds * 1000)}
    return orjson.dumps(orjson.loads(request) | changed)


def with_history(kept: dict[str, Any], history: object) -> bytes:
    """The body for the plugin. `history` is the list of messages, or a Fragment of JSON."""
    return orjson.dumps(kept | {"context": kept["context"] | {"messages": history}})
