"""How late the suite itself is: what a busy machine adds to every time that it measures."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

EVERY_SECONDS = 0.005
KEPT = 60_000


@dataclass
class Lag:
    """Wakes every 5 ms and notes by how much it overslept: so late are our own timestamps."""

    late: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=KEPT))

    async def run(self) -> None:
        before = time.monotonic()
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            now = time.monotonic()
            self.late.append((now, max(0.0, now - before - EVERY_SECONDS)))
            before = now

    def worst_ms_since(self, started: float) -> float:
        """Of the time since `started` (monotonic), the moment that is now included."""
        worst = 0.0
        for at, late in reversed(self.late):
            if at < started:
                break
            worst = max(worst, late)
        newest = self.late[-1][0] if self.late else started
        worst = max(worst, time.monotonic() - newest - EVERY_SECONDS)
        return worst * 1000


@asynccontextmanager
async def measured_lag() -> AsyncIterator[Lag]:
    lag = Lag()
    task = asyncio.create_task(lag.run())
    try:
        yield lag
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
