"""A stored call on its way to its plugin, and its one end.

The instance that took the message in delivers it, or a worker does: later, again, or for an
instance that died, always with the same invocation_id. All come through here, and only one of them
ends the call.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import structlog

from generated.events import PLUGIN_INVOCATION_QUEUED
from generated.metrics import CauseLabel, Metrics
from impl.db import UNAVAILABLE, Pool, repeated_if_lost
from impl.dialogs.call import Outcome, StoredCall
from impl.dialogs.outcomes import ended
from impl.dialogs.queries.intake import read_key
from impl.dialogs.queries.outcome import end_lease, finish
from impl.dialogs.queries.waiting import requeue
from impl.dialogs.replacement import Replacement
from impl.plugins.caller import Failed, Invocation, PluginCaller
from impl.plugins.catalogue import Catalogue
from impl.plugins.slots import Slot, Slots
from impl.routing.candidate import Candidate
from impl.settings import Settings

log = structlog.get_logger()

GIVE_BACK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Later:
    """A failed call is worth another attempt, in so many seconds at the earliest.

    `excused`: the last one does not count, since the plugin was never asked.
    """

    seconds: float
    cause: CauseLabel
    excused: bool = False


Left: TypeAlias = Literal["queued", "overtaken"]


@dataclass(frozen=True, slots=True)
class Patience:
    """What a failure means to whoever makes the call: another attempt, or None: that was the end.

    `most_attempts` is of one delivery; None where the settings say.
    """

    judge: Callable[[StoredCall, Failed], Later | None]
    most_attempts: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """`replacement` is None where a failed call is the end of its message."""

    pool: Pool
    caller: PluginCaller
    catalogue: Catalogue
    slots: Slots
    metrics: Metrics
    replacement: Replacement | None = None

    async def deliver(
        self, call: StoredCall, slot: Slot, until: float, patience: Patience
    ) -> bytes | Left:
        """The call's final response body: ours, or the one of whoever ended it before us.

        `until` is a time of the loop. `queued`: the answer comes later. `overtaken`: another
        attempt took the call over, and still runs. The slot is given back once the plugin is done.
        """
        terms = (await self.catalogue.table()).terms_of(call.plugin_id)
        invocation = Invocation(
            call.plugin_id,
            call.base_url,
            call.invocation_id,
            call.trace_id,
            call.request,
            terms.schema_version,
            terms.output_schema,
            terms.supports_retry,
            patience.most_attempts,
            repeated=call.attempt > 1,
        )
        try:
            with slot:
                result = await self.caller.invoke(invocation, _left(until))
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(call))
            raise
        if isinstance(result, Failed):
            log.warning("plugin_call_failed", plugin_id=call.plugin_id, code=result.code,
                        reason=result.reason, invocation_id=call.invocation_id)  # fmt: skip
            later = patience.judge(call, result)
            if later is not None and await asyncio.shield(self.put_off(call, later)):
                return "queued"
        return await self.end(call, ended(call, result), until, patience)

    async def end(
        self, call: StoredCall, outcome: Outcome, until: float, patience: Patience
    ) -> bytes | Left:
        """The call is over; where it failed, another plugin may answer the message instead."""
        if self.replacement is not None and self.replacement.may_follow(call, outcome):
            second = await self.replacement.begin(call, outcome, until)
            if second is not None:
                self.metrics.routing_decisions_total.at("failure").inc()
                if second.slot is None:
                    self.note_queued("plugin_busy")
                    return "queued"
                with second.slot:
                    return await self.deliver(second.call, second.slot, until, patience)
        return await self.finish(call, outcome)

    async def finish(self, call: StoredCall, outcome: Outcome) -> bytes | Left:
        """As `end`, but the message's end too.

        Once the plugin acted its answer is stored, whoever stops waiting for it.
        """
        return await asyncio.shield(self._finish(call, outcome))

    async def put_off(self, call: StoredCall, later: Later) -> bool:
        """Whether the call waits in the queue now: not where another took it, or it is too late."""
        event_id = PLUGIN_INVOCATION_QUEUED.new_id()
        waits = await repeated_if_lost(
            lambda: requeue(self.pool, call, event_id, later.seconds, excused=later.excused)
        )
        if waits:
            self.note_queued(later.cause)
        return waits

    def note_queued(self, cause: CauseLabel) -> None:
        self.metrics.calls_queued_total.at(cause).inc()

    def note_routed(self, reasons: Mapping[str, Any]) -> None:
        """`reasons` is a RoutingDecisionV1."""
        self.metrics.routing_decisions_total.at(reasons["stage"]).inc()
        self.metrics.routing_seconds.observe(reasons["microseconds"] / 1_000_000)

    async def _give_back(self, call: StoredCall) -> None:
        """Nobody waits for the plugin any longer: a worker may take the call over at once."""
        try:
            async with asyncio.timeout(GIVE_BACK_SECONDS):
                await end_lease(self.pool, call)
        except UNAVAILABLE as error:
            log.warning("call_not_given_back", reason=type(error).__name__,
                        invocation_id=call.invocation_id)  # fmt: skip

    async def _finish(self, call: StoredCall, outcome: Outcome) -> bytes | Left:
        if await repeated_if_lost(lambda: finish(self.pool, call, outcome)):
            return outcome.response
        key = await read_key(self.pool, call.key)
        return "overtaken" if key is None or key.response is None else key.response


def make_delivery(
    pool: Pool, caller: PluginCaller, catalogue: Catalogue, settings: Settings, metrics: Metrics
) -> Delivery:
    async def fallback() -> Candidate | None:
        return (await catalogue.table()).fallback

    slots = Slots(settings.plugin_concurrency)
    wanted = settings.plugin_failure_policy == "fallback"
    replacement = Replacement(pool, slots, settings, fallback) if wanted else None
    return Delivery(pool, caller, catalogue, slots, metrics, replacement)


def _left(until: float) -> float:
    return max(0.0, until - asyncio.get_running_loop().time())
