"""Calls to plugins over HTTP. What comes back is hostile input.

Each decision has a file of its own in `calls/`; here they are put together.
"""

import asyncio
import time
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from generated import models
from generated.metrics import Metrics
from impl.metrics.plugins import note_call
from impl.outgoing.client import OutgoingClient
from impl.outgoing.resolver import Lookup
from impl.outgoing.signing import shown
from impl.outgoing.urls import ForbiddenUrlError
from impl.overload.load import elsewhere
from impl.plugins import probe
from impl.plugins.calls.answers import check_answer
from impl.plugins.calls.attempt import Fault
from impl.plugins.calls.attempts import Attempts
from impl.plugins.calls.breaker import Admission, Breaker, BreakerRules, Verdict
from impl.plugins.calls.line import Line, invocation_token, signed_now, signing_key
from impl.plugins.calls.outcome import MESSAGES, RETRYABLE, Answered, Failed, Invocation
from impl.plugins.calls.retries import RetryBudget
from impl.settings import Settings

__all__ = ["MESSAGES", "RETRYABLE", "Answered", "Failed", "Invocation", "PluginCaller"]


class PluginCaller:
    """The one HTTP client for calls to plugins. Close it when the process stops."""

    def __init__(self, settings: Settings, metrics: Metrics, lookup: Lookup | None = None) -> None:
        self._settings = settings
        self._metrics = metrics
        self._secret = settings.secret_key.get_secret_value().encode()
        self._rules = BreakerRules.of(settings)
        # Whoever has half of the ordinary deadline is patient enough, however short that is.
        self._patience = min(settings.breaker_patience_seconds, settings.call_deadline_seconds / 2)
        self._lines: dict[UUID, Line] = {}
        self.client = OutgoingClient(settings, lookup)
        metrics.plugin_breakers_open.set_function(self._breakers_open)

    async def close(self) -> None:
        await self.client.close()

    def invocation_token(self, plugin_id: UUID) -> str:
        """The Bearer of our calls to this plugin."""
        return invocation_token(self._secret, plugin_id)

    def signing_secret(self, plugin_id: UUID) -> str:
        """By which this plugin tells our calls, in the form of Standard Webhooks."""
        return shown(signing_key(self._secret, plugin_id))

    async def invoke(self, invocation: Invocation, timeout_seconds: float) -> Answered | Failed:
        """All attempts within the time. Never raises for what a plugin does."""
        started = time.monotonic()
        line = self._line(invocation.plugin_id)
        patient = timeout_seconds >= self._patience
        admission = line.breaker.admit(patient=patient)
        if admission is Admission.REFUSED:
            note_call(self._metrics, "plugin_circuit_open", 0.0)
            left = line.breaker.seconds_left
            reason = f"not called for {left:.1f} s"
            return Failed("plugin_circuit_open", 0, reason, sent=False, again=True, wait=left)
        verdict = Verdict.NONE
        try:
            result = await self._within(line, invocation, started + timeout_seconds)
            verdict = _verdict(result, patient=patient)
        finally:  # stopped by its caller, it says nothing
            line.breaker.note(admission, verdict)
        seconds = time.monotonic() - started
        latency = int(seconds * 1000)
        if isinstance(result, Fault):
            note_call(self._metrics, result.code, seconds)
            return _failed(result, invocation, latency)
        note_call(self._metrics, "none", seconds, result.usage)
        return Answered(result, latency)

    async def rehearse(self, invocation: Invocation, timeout_seconds: float) -> Answered | Failed:
        """A dry run, judged as a call is. It is in no metric and says nothing to the breaker."""
        started = time.monotonic()
        line = self._line(invocation.plugin_id)
        result = await self._within(line, invocation, started + timeout_seconds)
        latency = int((time.monotonic() - started) * 1000)
        if isinstance(result, Fault):
            return _failed(result, invocation, latency)
        return Answered(result, latency)

    def resting(self) -> dict[UUID, int]:
        """How many calls the plugins that are left alone would be given now: none, or the trial."""
        return {
            plugin_id: int(line.breaker.tries_next)
            for plugin_id, line in self._lines.items()
            if not line.breaker.closed
        }

    def may_repeat(self, plugin_id: UUID) -> bool:
        """Whether one more call to this plugin is within its budget of retries; it pays then."""
        return self._line(plugin_id).budget.take()

    async def _within(
        self, line: Line, invocation: Invocation, ends: float
    ) -> models.PluginInvocationResponseV1 | Fault:
        try:
            target = line.target(self.client.guard, invocation.base_url)
        except ForbiddenUrlError as error:
            return Fault("plugin_unavailable", str(error), sent=False)
        attempts = Attempts(
            client=self.client,
            metrics=self._metrics,
            budget=line.budget,
            most=invocation.most_attempts or 1 + self._settings.plugin_retries,
            cap=self._settings.max_plugin_answer_bytes,
            invocation=invocation,
            headers=_headers(line, invocation),
            key=line.key,
            ends=ends,
        )
        try:
            with elsewhere():
                async with asyncio.timeout(ends - time.monotonic()):
                    result = await attempts.run(target)
        except TimeoutError:
            return Fault("plugin_timeout", "deadline", attempts.sent)
        if isinstance(result, Fault):
            return replace(result, sent=attempts.sent)  # the last attempt knows of itself alone
        return check_answer(result, invocation)

    def _line(self, plugin_id: UUID) -> Line:
        line = self._lines.get(plugin_id)
        if line is None:
            line = Line(
                f"Bearer {self.invocation_token(plugin_id)}",
                signing_key(self._secret, plugin_id),
                Breaker(self._rules),
                RetryBudget(self._settings.plugin_retry_budget),
            )
            self._lines[plugin_id] = line
        return line

    def _breakers_open(self) -> int:
        return sum(not line.breaker.closed for line in self._lines.values())

    async def illness(self, base_url: str, plugin_id: UUID | None = None) -> str | None:
        """Why the plugin is not well; None where `GET /health` is good, in time.

        Without its id it is no plugin yet, and has no secret by which to tell us.
        """
        seconds = self._settings.probe_timeout_seconds
        with elsewhere():
            return await probe.illness(self.client, base_url, seconds, self._signed(plugin_id))

    async def healthy(self, base_url: str, plugin_id: UUID | None = None) -> bool:
        return await self.illness(base_url, plugin_id) is None

    async def manifest(self, base_url: str, plugin_id: UUID | None = None) -> dict[str, Any] | None:
        """What `GET /manifest` answers, as it is; None where that is no JSON object, or late."""
        seconds = self._settings.probe_timeout_seconds
        with elsewhere():
            return await probe.manifest(self.client, base_url, seconds, self._signed(plugin_id))

    def _signed(self, plugin_id: UUID | None) -> dict[str, str]:
        """The headers of a call that has no body."""
        if plugin_id is None:
            return {}
        return signed_now(signing_key(self._secret, plugin_id), uuid4())


def _verdict(result: object, *, patient: bool) -> Verdict:
    if not isinstance(result, Fault) or result.lives:
        return Verdict.ALIVE
    if result.code == "plugin_unavailable":
        return Verdict.FAILING
    if result.code != "plugin_timeout":
        return Verdict.ALIVE  # it answered, if wrongly: that costs nobody any time
    # A caller in a great hurry must not have the plugin shut for all others.
    return Verdict.FAILING if patient else Verdict.NONE


def _failed(fault: Fault, invocation: Invocation, latency: int) -> Failed:
    again = fault.again is not None or fault.code == "plugin_timeout"
    permitted = invocation.supports_retry or not fault.sent
    return Failed(
        fault.code, latency, fault.reason, fault.sent, again and permitted, fault.wait or 0.0
    )


def _headers(line: Line, invocation: Invocation) -> dict[str, str]:
    return {
        "Authorization": line.authorization,
        "Content-Type": "application/json",
        "X-Trace-Id": str(invocation.trace_id),
        "X-Invocation-Id": str(invocation.invocation_id),
        "X-Schema-Version": invocation.schema_version,
    }
