"""What the heartbeats report."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from uuid import UUID

from generated.models import PluginHeartbeatRequestV1

REMEMBERED = 1_000


class Figures:
    def __init__(self) -> None:
        self._answers = 0
        self._model_failures = 0
        self._in_flight = 0
        self._latencies: deque[float] = deque(maxlen=REMEMBERED)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Around the making of an answer; one that raises is not counted."""
        began = time.perf_counter()
        self._in_flight += 1
        try:
            yield
            self._answers += 1
            self._latencies.append((time.perf_counter() - began) * 1000)
        finally:
            self._in_flight -= 1

    def model_failed(self) -> None:
        self._model_failures += 1

    def heartbeat(self, plugin_id: UUID) -> PluginHeartbeatRequestV1:
        return PluginHeartbeatRequestV1(
            plugin_id=plugin_id,
            status="active",
            latency_ms=round(median(self._latencies), 3) if self._latencies else None,
            queue_depth=self._in_flight,
            metrics={
                "answers_total": self._answers,
                "model_failures_total": self._model_failures,
            },
        )
