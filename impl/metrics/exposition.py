"""One scrape: everything as it is now, in Prometheus's text format."""

from dataclasses import dataclass
from typing import Self

from prometheus_client import CollectorRegistry, generate_latest

from generated.metrics import Metrics
from impl.db import Pool
from impl.metrics.sampler import Sampler
from impl.metrics.siblings import Siblings, note


@dataclass(frozen=True, slots=True)
class Exposition:
    metrics: Metrics
    sampler: Sampler
    shown: CollectorRegistry

    @classmethod
    def of(cls, metrics: Metrics, sampler: Sampler, siblings: Siblings | None) -> Self:
        return cls(metrics, sampler, siblings.registry() if siblings else metrics.registry)

    async def text(self) -> bytes:
        await self.sampler.refresh()
        if self.shown is not self.metrics.registry:
            note(self.metrics)
        return generate_latest(self.shown)


def watch_pool(metrics: Metrics, pool: Pool) -> None:
    """Shows the pool's connections; they are counted when somebody scrapes."""
    state = metrics.database_connections
    state.at("used").set_function(lambda: pool.get_size() - pool.get_idle_size())
    state.at("idle").set_function(pool.get_idle_size)
    metrics.database_connections_limit.set_function(pool.get_max_size)
