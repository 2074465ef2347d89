"""What this process must ask others for: how much waits, and whether they are there.

It is asked when somebody scrapes and the last answer is old: at most every few seconds, one at a
time, however many scrape, and the scrape waits for it no longer than a moment.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import cast, get_args

import structlog

from generated.metrics import Metrics, PluginsStatusLabel, StreamLabel
from impl.db import UNAVAILABLE, Pool
from impl.degraded.gate import Gate
from impl.metrics.queries import Sample, read_sample
from impl.redis import UNREACHABLE

log = structlog.get_logger()

EVERY_SECONDS = 5.0
SCRAPE_WAITS_SECONDS = 1.0
# For a connection, and for the statement: together less than until the next sample.
DATABASE_SECONDS = 1.0
# What is left out where it was read longer ago, and the metric that tells how long ago it was.
SAMPLED = ("botcore_queue_depth", "botcore_stream_lag_seconds", "botcore_plugins")
SAMPLE_AGE = "botcore_sample_age_seconds"
STALE_SECONDS = 60.0
STATUSES: tuple[PluginsStatusLabel, ...] = get_args(PluginsStatusLabel)
STREAMS: tuple[StreamLabel, ...] = get_args(StreamLabel)


@dataclass
class Sampler:
    pool: Pool
    gate: Gate
    metrics: Metrics
    every_seconds: float = EVERY_SECONDS
    _next: float = field(default=0.0, init=False)
    _read_at: float = field(default_factory=time.monotonic, init=False)
    _running: "asyncio.Task[None] | None" = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.metrics.sample_age_seconds.set_function(lambda: time.monotonic() - self._read_at)

    async def refresh(self) -> None:
        """Bring the sampled metrics up to date, as far as that can be had now. Never raises."""
        now = time.monotonic()
        if self._running is None and now >= self._next:
            self._next = now + self.every_seconds
            self._running = asyncio.create_task(self._ask(), name="metrics sample")
        if self._running is not None:
            await asyncio.wait({self._running}, timeout=SCRAPE_WAITS_SECONDS)
        if time.monotonic() - self._read_at > STALE_SECONDS:
            self.metrics.queue_depth.clear()
            self.metrics.stream_lag_seconds.clear()
            self.metrics.plugins.clear()

    async def close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})

    async def _ask(self) -> None:
        try:
            asked = self._ask_database(), self._ask_redis()
            for error in await asyncio.gather(*asked, return_exceptions=True):
                if error is not None:  # a mistake of ours, or a database without its tables
                    log.error("sample_failed", exc_info=error)
        finally:
            self._running = None

    async def _ask_database(self) -> None:
        up = self.metrics.dependency_up.at("database")
        try:
            async with self.pool.acquire(timeout=DATABASE_SECONDS) as connection:
                sample = await read_sample(connection, DATABASE_SECONDS)
        except UNAVAILABLE as error:
            log.warning("sample_failed", of="database", reason=type(error).__name__)
            up.set(0)
        else:
            up.set(1)
            self._show(sample)

    def _show(self, sample: Sample) -> None:
        self._read_at = time.monotonic()
        depth = self.metrics.queue_depth
        depth.at("calls").set(sample.calls)
        depth.at("lost_calls").set(sample.lost_calls)
        depth.at("outbox").set(sample.outbox)
        depth.at("notifications").set(sample.notifications)
        self.metrics.scaling_alert.set(sample.scaling_alert)
        for status in STATUSES:
            self.metrics.plugins.at(status).set(sample.plugins.get(status, 0))
        self.metrics.plugins_differing.set(sample.differing)
        lags = dict.fromkeys(STREAMS, 0.0)
        for key, seconds in sample.lags.items():
            stream = stream_label(key)
            lags[stream] = max(lags.get(stream, 0.0), seconds)
        for stream, seconds in lags.items():
            self.metrics.stream_lag_seconds.at(stream).set(seconds)

    async def _ask_redis(self) -> None:
        up = self.metrics.dependency_up.at("redis")
        try:
            await self.gate.ask(self.gate.redis.ping)
        except UNREACHABLE as error:
            log.warning("sample_failed", of="redis", reason=type(error).__name__)
            up.set(0)
        else:
            up.set(1)


def stream_label(key: str) -> StreamLabel:
    """The kind of the stream `key`; a key of none is returned as it is, which is no label."""
    found = (label for label in STREAMS if key == label or key.startswith(f"{label}:"))
    return next(found, cast("StreamLabel", key))
