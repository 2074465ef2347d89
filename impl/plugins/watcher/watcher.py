"""The worker's task that finds outages and their ends. While it probes it holds no connection."""

import asyncio
import contextlib
from dataclasses import dataclass
from uuid import UUID, uuid4

import structlog

from generated.metrics import Metrics
from generated.runtime import trace
from generated.triggers import PLUGIN_BACK, PLUGIN_LOST, PROBE_FAILURES
from impl.db import UNAVAILABLE, Pool
from impl.plugins.caller import PluginCaller
from impl.plugins.manifests import same
from impl.plugins.manifests.canonical import manifest_hash
from impl.plugins.watcher import golden, queries
from impl.plugins.watcher.queries import Due
from impl.settings import Settings
from impl.triggers.firing import fired

log = structlog.get_logger()

AT_ONCE = 64
GOLDEN_EXAMPLES = 10  # of one manifest, at most
SPARE_SECONDS = 30  # until another worker takes a probe for lost


@dataclass(frozen=True, slots=True)
class Watcher:
    pool: Pool
    caller: PluginCaller
    settings: Settings
    metrics: Metrics

    async def run(self) -> None:
        """Never ends; a database that is away is waited for. Stopped, it gives its probes back."""
        running: dict[asyncio.Task[None], UUID] = {}
        try:
            while True:
                for due in await self._look(AT_ONCE - len(running)):
                    task = asyncio.create_task(self._probe(due), name="probe")
                    running[task] = due.claim
                    task.add_done_callback(running.pop)
                # A plugin that hangs holds its own place, not those of the others.
                if len(running) < AT_ONCE:
                    await asyncio.sleep(self.settings.watch_seconds)
                else:
                    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._stop(dict(running))

    async def _stop(self, running: dict[asyncio.Task[None], UUID]) -> None:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        with contextlib.suppress(*UNAVAILABLE):
            await queries.release(self.pool, [*running.values()])

    async def _look(self, free: int) -> list[Due]:
        try:
            bound = self.settings.heartbeat_missed_seconds
            for plugin_id in await queries.silent(self.pool, bound):
                await self._miss(plugin_id, bound)
            return await queries.claim(self.pool, self._longest_probe(), free)
        except UNAVAILABLE as error:
            log.warning("watcher_waits", reason=type(error).__name__)
            return []

    def _longest_probe(self) -> float:
        asked = 2 * self.settings.probe_timeout_seconds
        return asked + GOLDEN_EXAMPLES * self.settings.call_deadline_seconds + SPARE_SECONDS

    async def _miss(self, plugin_id: UUID, bound: float) -> None:
        trace_id = str(uuid4())
        detail = f"no sign of life for {bound:g} s"
        if await queries.begin_outage(
            self.pool, plugin_id, "heartbeat", bound, trace_id=trace_id, detail=detail
        ):
            self.metrics.plugin_outages_total.at("heartbeat").inc()
            log.warning("plugin_outage", plugin_id=plugin_id, reason=detail, trace_id=trace_id)
            fired(self.metrics, PLUGIN_LOST, plugin_id=plugin_id, trace_id=trace_id)

    async def _probe(self, due: Due) -> None:
        """One plugin's fault is its own; a probe that was lost is made again by whoever is next."""
        trace_id = str(uuid4())
        trace.enter(trace_id)
        try:
            reason = await self._fault(due)
            if reason is not None:
                await self._ill(due, reason, trace_id)
                return
            await self._well(due, trace_id)
            if due.reads_manifest:
                await self._compare(due, trace_id)
        except UNAVAILABLE as error:
            log.warning("watcher_waits", reason=type(error).__name__)
        except Exception:
            log.exception("probe_failed", plugin_id=due.plugin_id)

    async def _fault(self, due: Due) -> str | None:
        """Why the plugin is not well; None where it is."""
        illness = await self.caller.illness(due.base_url, due.plugin_id)
        if illness is not None:
            self.metrics.plugin_probes_total.at("unhealthy").inc()
            return illness
        failing = await golden.failing(self.caller, due, self.settings.call_deadline_seconds)
        if failing is not None:
            self.metrics.plugin_probes_total.at("golden_example").inc()
            return f"golden example {failing}"
        self.metrics.plugin_probes_total.at("ok").inc()
        return None

    async def _well(self, due: Due, trace_id: str) -> None:
        if await queries.note_well(self.pool, due, self.settings.probe_interval_seconds, trace_id):
            self.metrics.plugin_recoveries_total.inc()
            log.info("plugin_recovered", plugin=due.plugin, plugin_id=due.plugin_id)
            fired(self.metrics, PLUGIN_BACK, plugin_id=due.plugin_id)

    async def _ill(self, due: Due, reason: str, trace_id: str) -> None:
        failures = await queries.note_ill(self.pool, due, self.settings.probe_interval_seconds)
        if not failures:
            return
        log.warning("plugin_ill", plugin=due.plugin, plugin_id=due.plugin_id, failures=failures,
                    base_url=due.base_url, reason=reason)  # fmt: skip
        if failures >= PROBE_FAILURES and await queries.begin_outage(
            self.pool, due.plugin_id, "health", PROBE_FAILURES, trace_id=trace_id, detail=reason
        ):
            self.metrics.plugin_outages_total.at("health").inc()
            log.warning("plugin_outage", plugin=due.plugin, plugin_id=due.plugin_id, reason=reason)
            fired(self.metrics, PLUGIN_LOST, plugin_id=due.plugin_id)

    async def _compare(self, due: Due, trace_id: str) -> None:
        """A manifest that cannot be read now tells nothing, and is no difference."""
        served = await self.caller.manifest(due.base_url, due.plugin_id)
        if served is None:
            return
        found = due.manifest_hash if same(due.manifest, served) else manifest_hash(served)
        if await queries.note_served(self.pool, due, found, trace_id):
            log.warning(
                "plugin_manifest_differs",
                plugin=due.plugin,
                plugin_id=due.plugin_id,
                registered=due.manifest_hash,
                served=found,
            )
