"""Calls to plugins over HTTP. What comes back is hostile input.

The answer is capped in bytes and time, parsed strictly and checked against the plugin contract
before anything else looks at it.
"""

import asyncio
import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import aiohttp

from generated import models
from generated.metrics import Metrics
from generated.runtime.edge import SCHEMA_VERSION
from generated.runtime.problems import ProblemError
from generated.runtime.validation import read_json
from impl.metrics.plugins import note_call
from impl.plugins.http import AnswerTooLargeError, open_session, read_capped
from impl.plugins.probe import healthy, manifest
from impl.settings import Settings

BUSY = frozenset({429, 502, 503, 504})
ErrorCode = Literal[
    "plugin_unavailable",
    "plugin_timeout",
    "plugin_rejected",
    "plugin_answer_invalid",
    "plugin_answer_too_large",
]
MESSAGES: dict[ErrorCode, str] = {
    "plugin_unavailable": "The plugin cannot be reached or takes no calls now.",
    "plugin_timeout": "The plugin did not answer in time.",
    "plugin_rejected": "The plugin refused the call.",
    "plugin_answer_invalid": "The plugin's answer breaks the contract.",
    "plugin_answer_too_large": "The plugin's answer is too large.",
}
RETRYABLE = frozenset({"plugin_unavailable", "plugin_timeout"})


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call as it goes out. `body` is a PluginInvocationRequestV1."""

    plugin_id: UUID
    base_url: str
    invocation_id: UUID
    trace_id: UUID
    body: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    answer: models.PluginInvocationResponseV1
    latency_ms: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no answer. `reason` is for the log; it holds nothing that the plugin sent."""

    code: ErrorCode
    latency_ms: int
    reason: str


class PluginCaller:
    """The one HTTP client for calls to plugins. Close it when the process stops."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._metrics = metrics
        self._secret = settings.secret_key.get_secret_value().encode()
        self._cap = settings.max_plugin_answer_bytes
        self._probe_timeout = settings.probe_timeout_seconds
        self._session = open_session()

    async def close(self) -> None:
        await self._session.close()

    def invocation_token(self, plugin_id: UUID) -> str:
        """The Bearer of our calls to this plugin: derived, so that it is stored nowhere."""
        digest = hmac.digest(self._secret, b"invoke:" + plugin_id.bytes, hashlib.sha256)
        return "bc_invoke_" + base64.b32encode(digest).decode().rstrip("=").lower()

    async def invoke(self, invocation: Invocation, timeout_seconds: float) -> Answered | Failed:
        """One attempt. Never raises for what a plugin does."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(timeout_seconds):
                result = await self._attempt(invocation)
        except TimeoutError:
            result = ("plugin_timeout", "deadline")
        except AnswerTooLargeError:
            result = ("plugin_answer_too_large", f"over {self._cap} bytes")
        except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: of the URL
            result = ("plugin_unavailable", type(error).__name__)
        seconds = time.monotonic() - started
        latency = int(seconds * 1000)
        if isinstance(result, models.PluginInvocationResponseV1):
            note_call(self._metrics, "none", seconds, result.usage)
            return Answered(result, latency)
        note_call(self._metrics, result[0], seconds)
        return Failed(result[0], latency, result[1])

    async def _attempt(
        self, invocation: Invocation
    ) -> models.PluginInvocationResponseV1 | tuple[ErrorCode, str]:
        headers = {
            "Authorization": f"Bearer {self.invocation_token(invocation.plugin_id)}",
            "Content-Type": "application/json",
            "X-Trace-Id": str(invocation.trace_id),
            "X-Invocation-Id": str(invocation.invocation_id),
            "X-Schema-Version": SCHEMA_VERSION,
        }
        url = invocation.base_url.rstrip("/") + "/invoke"
        async with self._session.post(
            url, data=invocation.body, headers=headers, allow_redirects=False
        ) as response:
            if response.status in BUSY:
                return "plugin_unavailable", f"status {response.status}"
            if response.status != 200:
                return "plugin_rejected", f"status {response.status}"
            if response.content_type != "application/json":
                return "plugin_answer_invalid", "not application/json"
            content = await read_capped(response, self._cap)
        return self._check(content, invocation)

    @staticmethod
    def _check(
        content: bytes, invocation: Invocation
    ) -> models.PluginInvocationResponseV1 | tuple[ErrorCode, str]:
        try:
            answer = read_json(models.PluginInvocationResponseV1, content)
        except ProblemError as problem:
            where = ", ".join(f"{error.pointer} {error.code}" for error in problem.errors[:5])
            return "plugin_answer_invalid", f"{problem.code} {where}".strip()
        if answer.trace_id != invocation.trace_id:
            return "plugin_answer_invalid", "trace_id differs"
        return answer

    async def healthy(self, base_url: str) -> bool:
        """Whether `GET /health` answers as the contract says, in time."""
        return await healthy(self._session, base_url, self._probe_timeout)

    async def manifest(self, base_url: str) -> dict[str, Any] | None:
        """What `GET /manifest` serves, as it is; None where that cannot be had in time."""
        return await manifest(self._session, base_url, self._probe_timeout)
