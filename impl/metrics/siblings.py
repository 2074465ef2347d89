"""What all processes of an instance count together, told by whichever is asked."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector, values
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from generated.metrics import Metrics
from generated.runtime.metrics import NOWHERE, Family, Gauge
from impl.metrics.sampler import SAMPLE_AGE, SAMPLED, STALE_SECONDS
from impl.serving.folder import processes

EVERY_SECONDS = 1.0  # so old at most is what the others' functions said
CPU = "process_cpu_seconds"
START = "process_start_time_seconds"


@dataclass(frozen=True, slots=True)
class Siblings(Collector):
    """The processes that keep their values in `folder`, of which this is `number`."""

    folder: Path
    number: int

    def join(self) -> None:
        """Keep there whatever is counted from here on: before the first metric is made."""
        values.ValueClass = values.MultiProcessValue(lambda: self.number)  # type: ignore[no-untyped-call]  # the library's

    def registry(self) -> CollectorRegistry:
        """What a scrape shows: everybody's."""
        found = CollectorRegistry()
        found.register(self)
        return found

    async def run(self, metrics: Metrics) -> None:
        """Tells the others what only functions here can say. Never ends."""
        while True:
            note(metrics)
            await asyncio.sleep(EVERY_SECONDS)

    def collect(self) -> Iterator[Metric]:
        found = {metric.name: metric for metric in _read(str(self.folder)) if metric.samples}
        left_out = {NOWHERE, *(SAMPLED if _is_old(found.get(SAMPLE_AGE)) else ())}
        for name, metric in found.items():
            if name not in left_out:
                yield metric
        yield from of_processes(processes(self.folder))


def _read(folder: str) -> Iterable[Metric]:
    found: Iterable[Metric] = MultiProcessCollector(None, folder).collect()  # type: ignore[no-untyped-call]  # the same
    return found


def _is_old(age: Metric | None) -> bool:
    """Whether none of the processes has read the database for long."""
    return age is not None and age.samples[0].value > STALE_SECONDS


def note(metrics: Metrics) -> None:
    for each in fields(metrics):
        metric = getattr(metrics, each.name)
        if isinstance(metric, Family | Gauge):
            metric.note()


def of_processes(pids: list[int]) -> Iterable[Metric]:
    """What the client library tells of one process, of all: sums, and the start of the first."""
    found: dict[str, list[float]] = defaultdict(list)
    shapes: dict[str, Metric] = {}
    for pid in pids:
        for metric in ProcessCollector(pid=partial(int, pid), registry=None).collect():
            shapes.setdefault(metric.name, metric)
            found[metric.name] += [sample.value for sample in metric.samples]
    for name, shape in shapes.items():
        value = min(found[name]) if name == START else sum(found[name])
        if name == CPU:
            yield CounterMetricFamily(name, shape.documentation, value + _of_the_dead(pids[0]))
        else:
            yield GaugeMetricFamily(name, shape.documentation, value)


def _of_the_dead(supervisor: int) -> float:
    """The CPU seconds of processes that ended: a counter must not fall with them."""
    try:
        stat = Path(f"/proc/{supervisor}/stat").read_bytes()
    except OSError:
        return 0.0
    user, system = stat.rpartition(b")")[2].split()[13:15]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
