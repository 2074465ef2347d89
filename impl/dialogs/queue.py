"""The queue of calls: those that wait, and those whose instance died, are made by a worker.

Any number of workers may run it. Each plugin has places of its own in each of them, so that one
that hangs holds up nobody's calls but its own.
"""

import asyncio
import random
from dataclasses import dataclass, field, replace

import structlog

from generated.metrics import Metrics
from generated.runtime import trace
from impl.db import UNAVAILABLE, Pool
from impl.dialogs.call import RESET, StoredCall, with_history
from impl.dialogs.delivery import Delivery, Later, Patience
from impl.dialogs.outcomes import rejection, timed_out
from impl.dialogs.queries.claim import Claimed, Places, claim, history_before
from impl.plugins.caller import Failed
from impl.plugins.slots import Slot
from impl.settings import Settings

log = structlog.get_logger()

# Of one plugin at once, so that a long queue is not read whole. The next claim follows at once.
MOST_OF_A_PLUGIN = 8
LONGEST_BACKOFF_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class CallQueue:
    pool: Pool
    delivery: Delivery
    settings: Settings
    metrics: Metrics
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Never ends; a database that is away is waited for. Stopped, it gives its calls back."""
        running: set[asyncio.Task[None]] = set()

        def ended(task: "asyncio.Task[None]") -> None:
            running.discard(task)
            self._changed.set()

        try:
            while True:
                self._changed.clear()
                claimed = await self._claim_or_wait()
                for one, slot in claimed:
                    task = asyncio.create_task(self._make(one, slot), name="queued call")
                    running.add(task)
                    task.add_done_callback(ended)
                if not claimed:
                    await self._until_changed()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def run_once(self) -> int:
        """Makes what can be made now and waits for its end. Returns the number of calls."""
        claimed = await self._claim()
        await asyncio.gather(*(self._make(one, slot) for one, slot in claimed))
        return len(claimed)

    async def _until_changed(self) -> None:
        """A call that ends frees a place, and lets the next one of its dialog go."""
        try:
            async with asyncio.timeout(self.settings.queue_poll_seconds):
                await self._changed.wait()
        except TimeoutError:
            pass

    async def _claim_or_wait(self) -> list[tuple[Claimed, Slot | None]]:
        try:
            return await self._claim()
        except UNAVAILABLE as error:
            log.warning("queue_waits", reason=type(error).__name__)
            await asyncio.sleep(self.settings.queue_poll_seconds)
            return []

    async def _claim(self) -> list[tuple[Claimed, Slot | None]]:
        slots = self.delivery.slots
        # Who is left alone gets none: to claim its calls would only turn them round and round.
        free = {**slots.free(), **self.delivery.caller.resting()}
        places = Places(free, slots.limit, MOST_OF_A_PLUGIN)
        claimed = await claim(self.pool, self.settings.call_lease_seconds, places)
        return [(one, slots.reserve(one.call.plugin_id)) for one in claimed]

    async def _make(self, one: Claimed, slot: Slot | None) -> None:
        """One call's fault is its own: it is made again when its new lease ends."""
        trace.enter(str(one.call.trace_id))
        if one.waited:
            self.metrics.queue_wait_seconds.observe(one.waited_seconds)
        else:
            self.metrics.calls_recovered_total.inc()
            log.warning("call_taken_over", invocation_id=one.call.invocation_id,
                        attempt=one.call.attempt)  # fmt: skip
        try:
            await self._settle(one, slot)
        except UNAVAILABLE as error:
            log.warning("queue_waits", reason=type(error).__name__)
        except Exception:
            log.exception("queued_call_failed", invocation_id=one.call.invocation_id)
        finally:
            if slot is not None:
                slot.release()

    async def _settle(self, one: Claimed, slot: Slot | None) -> None:
        if one.was_reset:  # what it asked is gone
            await self.delivery.finish(one.call, rejection(one.call, RESET))
        elif one.overdue:
            await self.delivery.finish(one.call, timed_out(one.call))
        elif slot is None:  # a call that answers for another one was quicker
            await self.delivery.put_off(one.call, Later(0.0, "plugin_busy", excused=True))
        else:
            await self._deliver(one, slot)

    async def _deliver(self, one: Claimed, slot: Slot) -> None:
        seconds = self.settings.call_deadline_seconds
        until = asyncio.get_running_loop().time() + seconds
        history = await history_before(self.pool, one.call, self.settings.history_in_context)
        kept = one.kept | {"deadline_ms": int(seconds * 1000)}
        call = replace(one.call, request=with_history(kept, history))
        if one.plugin_disabled:
            outcome = rejection(call, "plugin_unavailable")
            await self.delivery.end(call, outcome, until, self._patience)
        elif call.tries > self.settings.call_attempts or not await self._may_be_made(one):
            await self.delivery.end(call, timed_out(call), until, self._patience)
        else:
            await self.delivery.deliver(call, slot, until, self._patience)

    async def _may_be_made(self, one: Claimed) -> bool:
        """Not where its instance died, so that nobody knows whether the plugin acted, and the
        plugin permits no repetition."""
        if one.waited:
            return True
        table = await self.delivery.catalogue.table()
        return table.terms_of(one.call.plugin_id).supports_retry

    @property
    def _patience(self) -> Patience:
        """One attempt at a time: between them the call waits here, and not in a plugin's place."""
        return Patience(self._judge, most_attempts=1)

    def _judge(self, call: StoredCall, failed: Failed) -> Later | None:
        if not failed.again:
            return None
        if failed.code == "plugin_circuit_open":
            return Later(max(failed.wait, self._pause(1)), "retry", excused=True)
        if call.tries >= self.settings.call_attempts:
            return None
        pause = self._pause(call.tries)
        if not self.delivery.caller.may_repeat(call.plugin_id):
            pause = LONGEST_BACKOFF_SECONDS
        return Later(max(pause, failed.wait), "retry")

    def _pause(self, tries: int) -> float:
        longest = self.settings.queue_backoff_seconds * 2 ** (tries - 1)
        bounded = min(longest, LONGEST_BACKOFF_SECONDS)
        return random.uniform(bounded / 2, bounded)  # noqa: S311  # no secret
