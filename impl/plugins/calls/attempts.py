"""All attempts of one call, within its one deadline."""

import asyncio
import time
from dataclasses import dataclass, field

from generated.metrics import Metrics
from impl.outgoing.client import OutgoingClient
from impl.outgoing.urls import Target
from impl.plugins.calls.attempt import Fault, attempt
from impl.plugins.calls.line import signed_now
from impl.plugins.calls.outcome import Invocation
from impl.plugins.calls.retries import RetryBudget, backoff


@dataclass(slots=True)
class Attempts:
    """`ends` is the deadline, by the monotonic clock; the caller stops what runs beyond it."""

    client: OutgoingClient
    metrics: Metrics
    budget: RetryBudget
    most: int
    cap: int
    invocation: Invocation
    headers: dict[str, str]
    key: bytes = field(repr=False)
    ends: float
    sent: bool = field(default=False, init=False)  # of any attempt

    async def run(self, target: Target) -> bytes | Fault:
        """The answer's bytes, or the fault of the last attempt."""
        if not self.invocation.repeated:
            self.budget.earn()
        made = 0
        while True:
            result = await self._once(target)
            if isinstance(result, bytes):
                return result
            made += 1
            wait = self._wait(result, made)
            if result.again is None or wait is None:
                return result
            self.metrics.plugin_retries_total.at(result.again).inc()
            await asyncio.sleep(wait)

    async def _once(self, target: Target) -> bytes | Fault:
        left = max(1, int((self.ends - time.monotonic()) * 1000))
        signature = signed_now(self.key, self.invocation.invocation_id, self.invocation.body)
        headers = {**self.headers, **signature, "X-Deadline-Ms": str(left)}
        sent, self.sent = self.sent, True  # for whoever is stopped meanwhile
        result = await attempt(self.client, target, self.invocation.body, headers, self.cap)
        if isinstance(result, Fault):
            self.sent = sent or result.sent
        return result

    def _wait(self, fault: Fault, made: int) -> float | None:
        """Seconds until the next attempt; None where there is none."""
        if fault.again is None or made >= self.most:  # before the budget is asked: it pays
            return None
        if self.sent and not self.invocation.supports_retry:
            return None
        wait = max(backoff(made - 1), fault.wait or 0.0)
        if time.monotonic() + wait >= self.ends:
            return None
        return wait if self.budget.take() else None
