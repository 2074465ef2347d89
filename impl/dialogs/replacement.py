"""The plugin that answers for one that failed, where the policy wants it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import uuid4

from generated.events import PLUGIN_INVOCATION_QUEUED, PLUGIN_INVOCATION_STARTED
from impl.db import Pool, repeated_if_lost
from impl.dialogs.call import RESET, Outcome, StoredCall, for_another
from impl.dialogs.queries import waiting
from impl.plugins.slots import Slot, Slots
from impl.routing.candidate import Candidate
from impl.routing.decision import of_failure, reasons
from impl.settings import Settings

# With less left the bot is told that the answer comes later.
LEAST_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Second:
    """The call that is stored now; without a slot it waits in the queue."""

    call: StoredCall
    slot: Slot | None


@dataclass(frozen=True, slots=True)
class Replacement:
    """`fallback` finds the plugin to call, None where there is none."""

    pool: Pool
    slots: Slots
    settings: Settings
    fallback: Callable[[], Awaitable[Candidate | None]]

    @staticmethod
    def may_follow(call: StoredCall, outcome: Outcome) -> bool:
        """A failure of the plugin that was chosen; never one of the plugin that replaced it."""
        return call.replaces is None and outcome.error_code not in (None, RESET)

    async def begin(self, call: StoredCall, outcome: Outcome, until: float) -> Second | None:
        """One statement ends `call` and stores the second one, so that no death parts them.

        None where there is nobody else to call, or nothing to answer any more.
        """
        plugin = await self.fallback()
        if plugin is None or plugin.plugin_id == call.plugin_id:
            return None
        seconds = until - asyncio.get_running_loop().time()
        slot = self.slots.reserve(plugin.plugin_id) if seconds >= LEAST_SECONDS else None
        stored = False
        try:
            second = await asyncio.shield(self._store(call, outcome, plugin, seconds, slot))
            stored = second is not None
            return second
        finally:
            if slot is not None and not stored:
                slot.release()

    async def _store(
        self,
        call: StoredCall,
        outcome: Outcome,
        plugin: Candidate,
        seconds: float,
        slot: Slot | None,
    ) -> Second | None:
        begun = PLUGIN_INVOCATION_QUEUED if slot is None else PLUGIN_INVOCATION_STARTED
        invocation_id = uuid4()
        second = waiting.Second(
            plugin.plugin_id, invocation_id, _reasons(plugin, call, outcome), begun
        )
        event_ids = outcome.event.new_id(), begun.new_id()
        lease = self.settings.call_lease_seconds
        done = await repeated_if_lost(
            lambda: waiting.replace(self.pool, call, outcome, second, event_ids, lease)
        )
        if not done:
            return None
        begun_call = replace(
            call,
            plugin_id=plugin.plugin_id,
            base_url=plugin.base_url,
            invocation_id=invocation_id,
            attempt=1,
            request=for_another(call.request, invocation_id=invocation_id, seconds=seconds),
            replaces=call.invocation_id,
        )
        return Second(begun_call, slot)


def _reasons(plugin: Candidate, call: StoredCall, outcome: Outcome) -> dict[str, object]:
    code = outcome.error_code or "unknown"
    return reasons("failure", plugin, of_failure(plugin, code), failed=(call.plugin_id, code))
