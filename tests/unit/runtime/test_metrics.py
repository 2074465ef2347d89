"""Labels take the contract's values, and no others."""

from typing import Any, cast, get_args

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge

from generated.metrics import CodeLabel, OperationLabel, StatusLabel, make_metrics
from generated.runtime.metrics import Family


def family(listed: list[tuple[str | int, ...]]) -> tuple[Family[Counter], CollectorRegistry]:
    registry = CollectorRegistry()
    mistakes = Counter("mistakes", "m", registry=registry)
    names = [f"label_{number}" for number in range(len(listed))]
    return Family(Counter("things", "t", names, registry=registry), listed, mistakes), registry


def test_a_listed_value_is_counted_in_its_series() -> None:
    things, registry = family([("a", "b"), (200, 404)])
    things.child("a", 200).inc()
    things.child("a", 200).inc()
    labels = {"label_0": "a", "label_1": "200"}
    assert registry.get_sample_value("things_total", labels) == 2
    assert registry.get_sample_value("mistakes_total") == 0


@pytest.mark.parametrize("values", [("c", 200), ("a", 500), ("a", "200"), ("a",), ()])
def test_an_unlisted_one_is_counted_as_a_mistake_and_shown_nowhere(values: Any) -> None:
    things, registry = family([("a", "b"), (200, 404)])
    before = [sample for metric in registry.collect() for sample in metric.samples]
    for _ in range(3):
        things.child(*values).inc()
    after = [sample for metric in registry.collect() for sample in metric.samples]
    assert registry.get_sample_value("mistakes_total") == 3
    assert [s for s in before if s.name != "mistakes_total"] == [
        s for s in after if s.name != "mistakes_total"
    ]


def test_a_few_counters_begin_at_zero_and_many_when_they_are_needed() -> None:
    _, few = family([("a", "b")])
    assert few.get_sample_value("things_total", {"label_0": "b"}) == 0
    _, many = family([tuple(range(17))])
    assert many.get_sample_value("things_total", {"label_0": "3"}) is None


def test_a_gauge_is_absent_until_it_is_set_and_when_it_is_cleared() -> None:
    registry = CollectorRegistry()
    depth = Family(Gauge("depth", "d", ["queue"], registry=registry), [("a",)], Counter("m", "m"))
    assert registry.get_sample_value("depth", {"queue": "a"}) is None
    depth.child("a").set(3)
    assert registry.get_sample_value("depth", {"queue": "a"}) == 3
    depth.clear()
    assert registry.get_sample_value("depth", {"queue": "a"}) is None
    depth.child("a").set(4)
    assert registry.get_sample_value("depth", {"queue": "a"}) == 4


def test_each_process_has_metrics_of_its_own() -> None:
    one, other = make_metrics(), make_metrics()
    one.requests_total.at("getHealth", 200).inc()
    labels = {"operation": "getHealth", "status": "200"}
    assert one.registry.get_sample_value("botcore_requests_total", labels) == 1
    assert other.registry.get_sample_value("botcore_requests_total", labels) is None


def test_an_unlisted_value_of_the_contract_is_counted_as_a_mistake() -> None:
    metrics = make_metrics()
    metrics.requests_total.at(cast("Any", "GET /secret"), 200).inc()
    labels = {"metric": "botcore_requests_total"}
    assert metrics.registry.get_sample_value("botcore_metric_mistakes_total", labels) == 1
    assert "secret" not in str([list(metric.samples) for metric in metrics.registry.collect()])


def test_labels_are_those_of_the_contract() -> None:
    assert {"addDialogMessage", "getHealth", "none"} <= set(get_args(OperationLabel))
    assert {200, 404, 499, 503} <= set(get_args(StatusLabel))
    assert {"not_found", "client_disconnected"} <= set(get_args(CodeLabel))
