"""A server's metrics as they are now: a scrape would be one more request to it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from impl.serve import Server
from tests.patience import PATIENT_SECONDS


@dataclass(frozen=True)
class Figures:
    server: Server

    def __call__(self, name: str, **labels: str) -> float:
        metrics = self.server._app.state.metrics
        return float(metrics.registry.get_sample_value(f"botcore_{name}", labels) or 0)

    def refused(self, reason: str) -> float:
        return self("requests_refused_total", reason=reason)

    def cut(self, reason: str) -> float:
        return self("connections_cut_total", reason=reason)

    async def until(self, seen: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENT_SECONDS):
            while not seen():  # noqa: ASYNC110  # numbers, of which nobody tells
                await asyncio.sleep(0.005)
