"""The worker's task that finds the core degraded, and recovered. Any number of workers run it."""

import asyncio
from dataclasses import dataclass
from uuid import uuid4

import structlog

from generated.metrics import Metrics
from generated.triggers import TR_009
from impl.db import UNAVAILABLE, Pool
from impl.degraded import queries
from impl.degraded.gate import Gate
from impl.degraded.queries import Found, Rules
from impl.triggers.firing import fired

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Keeper:
    pool: Pool
    gate: Gate
    rules: Rules
    metrics: Metrics

    async def run(self) -> None:
        """Never ends; a database that is away is waited for, and whatever it knew stays so."""
        while True:
            try:
                await self.look()
            except UNAVAILABLE as error:
                log.warning("keeper_waits", reason=type(error).__name__)
            await asyncio.sleep(self.rules.look)

    async def look(self) -> Found:
        """Raises what the database raises."""
        trace_id = str(uuid4())
        redis = await self.gate.look()
        found = await queries.look(self.pool, self.rules, redis=redis, trace_id=trace_id)
        self.metrics.degraded.set(found.degraded)
        if found.enters:
            fired(self.metrics, TR_009, reason=found.reason, trace_id=trace_id)
            log.warning("core_degraded", trace_id=trace_id, **found.told())
        elif found.leaves:
            log.info("core_recovered", trace_id=trace_id, **found.told())
        if found.reason is not None and (found.enters or found.leaves):
            total = self.metrics.degraded_transitions_total
            total.at("degraded" if found.enters else "normal", found.reason).inc()
        return found
