"""A call of a plugin as it goes out, and how it ends."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from generated import models
from generated.runtime.edge import SCHEMA_VERSION
from impl.plugins.calls.output import OutputSchema

ErrorCode = Literal[
    "plugin_unavailable",
    "plugin_timeout",
    "plugin_rejected",
    "plugin_answer_invalid",
    "plugin_answer_too_large",
    "plugin_output_invalid",
    "plugin_circuit_open",
]
MESSAGES: dict[ErrorCode, str] = {
    "plugin_unavailable": "The plugin cannot be reached or takes no calls now.",
    "plugin_timeout": "The plugin did not answer in time.",
    "plugin_rejected": "The plugin refused the call.",
    "plugin_answer_invalid": "The plugin's answer breaks the contract.",
    "plugin_answer_too_large": "The plugin's answer is too large.",
    "plugin_output_invalid": "The plugin's answer breaks its own output schema.",
    "plugin_circuit_open": "The plugin failed too often lately and is not called now.",
}
RETRYABLE = frozenset({"plugin_unavailable", "plugin_timeout", "plugin_circuit_open"})


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call as it goes out. `body` is a PluginInvocationRequestV1.

    Without `supports_retry` it is made again only where nothing of it was sent. `most_attempts` is
    None where the settings say; a call that was `repeated` earns its plugin no further retry.
    """

    plugin_id: UUID
    base_url: str
    invocation_id: UUID
    trace_id: UUID
    body: bytes
    schema_version: str = SCHEMA_VERSION
    output_schema: OutputSchema | None = None
    supports_retry: bool = True
    most_attempts: int | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    answer: models.PluginInvocationResponseV1
    latency_ms: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no answer. `reason` is for the log; it holds nothing that the plugin sent.

    `sent`: whether a byte of a request may have reached the plugin, and so it may have acted.
    `again`: whether to call again may help, and is permitted; after `wait` seconds at the earliest.
    """

    code: ErrorCode
    latency_ms: int
    reason: str
    sent: bool = True
    again: bool = False
    wait: float = 0.0
