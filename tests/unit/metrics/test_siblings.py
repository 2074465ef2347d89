"""Several processes' metrics as one, with the library's files and without the processes."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import generate_latest, values

from generated.metrics import Metrics, make_metrics
from impl.metrics.siblings import Siblings, note, of_processes
from impl.serving.folder import VARIABLE, forget_gauges, name_processes
from tests.scrape import Scrape, read


class Instance:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        name_processes(folder, [])

    def process(self, number: int) -> Metrics:
        Siblings(self.folder, number).join()
        return make_metrics()

    def scrape(self) -> Scrape:
        return read(generate_latest(Siblings(self.folder, 0).registry()))


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return Instance(tmp_path)


def test_counters_and_histograms_are_sums(instance: Instance) -> None:
    for number, times in ((0, 2), (1, 3)):
        metrics = instance.process(number)
        for _ in range(times):
            metrics.requests_total.at("getHealth", 200).inc()
            metrics.core_latency_seconds.observe(0.02)
    found = instance.scrape()
    assert found.value("botcore_requests_total", operation="getHealth", status="200") == 5
    assert found.value("botcore_core_latency_seconds_count") == 5
    assert found.value("botcore_core_latency_seconds_bucket", le="0.025") == 5
    assert found.value("botcore_core_latency_seconds_bucket", le="0.01") == 0


def test_gauges_are_what_the_contract_says(instance: Instance) -> None:
    for number, value in ((0, 3.0), (1, 2.0)):
        metrics = instance.process(number)
        metrics.work_limit.set_function(partial(float, value))
        metrics.error_rate.set_function(partial(float, value))
        metrics.database_connections.at("idle").set_function(partial(float, value))
        metrics.sample_age_seconds.set_function(partial(float, value))
        metrics.queue_depth.at("calls").set(value)
        note(metrics)
    found = instance.scrape()
    assert found.value("botcore_work_limit") == 5
    assert found.value("botcore_database_connections", state="idle") == 5
    assert found.value("botcore_error_rate") == 3
    assert found.value("botcore_sample_age_seconds") == 2
    assert found.value("botcore_queue_depth", queue="calls") == 2  # what was read last


def test_what_none_has_read_for_long_is_left_out(instance: Instance) -> None:
    """One that has not read it says nothing against another that has."""
    for number, age in ((0, 10.0), (1, 300.0)):
        metrics = instance.process(number)
        metrics.queue_depth.at("calls").set(4)
        metrics.plugins.at("active").set(1)
        metrics.stream_lag_seconds.at("plugin:events").set(2)
        metrics.sample_age_seconds.set(age)
        metrics.queue_depth.clear()
    assert instance.scrape().value("botcore_queue_depth", queue="calls") == 4
    instance.process(0).sample_age_seconds.set(61)
    found = instance.scrape()
    assert found.value("botcore_sample_age_seconds") == 61
    left = {name for name, _ in found.samples}
    assert not left & {"botcore_queue_depth", "botcore_plugins", "botcore_stream_lag_seconds"}


def test_one_that_is_started_again_goes_on_counting(instance: Instance) -> None:
    """A counter that falls is a reset to Prometheus: the sum of all would be counted again."""
    before = instance.process(0)
    before.calls_recovered_total.inc(7)
    before.connections.set(9)
    forget_gauges(instance.folder, 0)
    assert instance.scrape().value("botcore_calls_recovered_total") == 7
    assert instance.scrape().value("botcore_connections") is None
    again = instance.process(0)
    again.calls_recovered_total.inc()
    assert instance.scrape().value("botcore_calls_recovered_total") == 8
    assert instance.scrape().value("botcore_connections") == 0


def test_a_value_that_the_contract_does_not_list_is_shown_nowhere(instance: Instance) -> None:
    instance.process(0).requests_total.at(cast("Any", "GET /secret"), 200).inc()
    found = instance.scrape()
    assert not [name for name, _ in found.samples if "nowhere" in name]
    metric = "botcore_requests_total"
    assert found.value("botcore_metric_mistakes_total", metric=metric) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the client library reads /proc")
def test_what_the_processes_take_is_a_sum_that_keeps_the_dead() -> None:
    def told(*pids: int) -> dict[str, float]:
        return {metric.name: metric.samples[0].value for metric in of_processes(list(pids))}

    command = [sys.executable, "-I", "-c", "print(flush=True); input()"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as child:
        assert child.stdout is not None
        child.stdout.readline()  # it runs, and takes memory
        alone, both = told(os.getpid()), told(os.getpid(), child.pid)
        assert both["process_resident_memory_bytes"] > alone["process_resident_memory_bytes"]
        assert both["process_start_time_seconds"] == alone["process_start_time_seconds"]
        child.communicate(b"\n")
    burn = "import time\nwhile time.process_time() < 0.1: pass"
    subprocess.run([sys.executable, "-I", "-c", burn], check=True)
    assert told(os.getpid())["process_cpu_seconds"] >= alone["process_cpu_seconds"] + 0.1
