"""What the metrics of the contract promise, and what their panels and alerts may ask for."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.bundler import Bundle, error_codes
from tools.contract import Json
from tools.extensions import fits
from tools.metrics import GIVEN, MISTAKES, PREFIX, of_core, sources, values_of

Known = dict[str, list[str]]
# Prometheus's own labels of every series; `le` is that of a histogram's buckets.
TARGET_LABELS = {"job", "instance"}
PARTS = ("_bucket", "_sum", "_count")
WORDS = {"by", "without", "on", "ignoring", "and", "or", "unless", "bool", "offset"}
SUFFIXES = {"seconds": "_seconds", "bytes": "_bytes", "ratio": "_rate"}

_SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*\{([^}]*)\}")
_MATCHER = re.compile(r'\s*([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"\s*(?:,|$)')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_ASIDE = re.compile(r"\{[^}]*\}|\[[^\]]*\]|" + _GROUPING.pattern)
_NAME = re.compile(r"(?<![\w.])[a-zA-Z_:][a-zA-Z0-9_:]*(?!\w*\s*\()")
_SHOWN = re.compile(r"\{\{\s*(?:\$labels\.)?([a-z_]+)\s*\}\}")


def metrics_make_sense(folder: Path, bundles: dict[str, Bundle]) -> Iterator[str]:
    """The rules below, for metrics that are of the right shape."""
    core, events = bundles["openapi.yaml"].document, bundles["events.asyncapi.yaml"].document
    metrics = core.get("x-metrics", [])
    if fits(folder, "x-metrics", metrics):
        known = sources(core, events, list(error_codes(folder)), folder)
        for rule in METRIC_RULES:
            yield from (f"metrics.yaml: {text}" for text in rule(metrics, known))


def named_well(metrics: list[Json], known: Known) -> Iterator[str]:
    names = [item["name"] for item in metrics]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name}: declared twice"
    for item in metrics:
        name, kind = item["name"], item["type"]
        ours = item in of_core({"x-metrics": metrics}) and name not in GIVEN
        if ours and not name.startswith(PREFIX):
            yield f"{name}: the core's metrics begin with {PREFIX}"
        if (kind == "counter") != name.endswith("_total"):
            yield f"{name}: a counter, and nothing else, ends with _total"
        suffix = SUFFIXES.get(item["unit"], "")
        if not name.removesuffix("_total").endswith(suffix):
            yield f"{name}: its unit demands {suffix}"
    if MISTAKES not in names:
        yield f"{MISTAKES} is missing: unlisted values are counted in it"


def buckets_ascend(metrics: list[Json], known: Known) -> Iterator[str]:
    for item in metrics:
        if ("buckets" in item) != (item["type"] == "histogram"):
            yield f"{item['name']}: a histogram, and nothing else, has buckets"
        if item.get("buckets", []) != sorted(item.get("buckets", [])):
            yield f"{item['name']}: its buckets do not ascend"


def processes_put_together(metrics: list[Json], known: Known) -> Iterator[str]:
    gauges = {item["name"] for item in of_core({"x-metrics": metrics}) if item["type"] == "gauge"}
    for item in metrics:
        if ("across" in item) != (item["name"] in gauges):
            yield f"{item['name']}: a gauge of the core, and nothing else, says `across`"


def labels_closed(metrics: list[Json], known: Known) -> Iterator[str]:
    for item in metrics:
        for name, label in item.get("labels", {}).items():
            if label.get("from") not in (None, *known):
                yield f"{item['name']}: {name}: no such list as {label['from']}"
                continue
            values = values_of(label, known)
            for value in sorted({value for value in values if values.count(value) > 1}):
                yield f"{item['name']}: {name}: {value} is listed twice"


def queries_declared(metrics: list[Json], known: Known) -> Iterator[str]:
    """Panels and alerts ask for declared metrics, by declared labels and values."""
    for item in metrics:
        panel, alerts = item.get("panel", {"queries": []}), item.get("alerts", [])
        asked = [(query["expr"], query["legend"]) for query in panel["queries"]]
        asked += [(alert["expr"], alert["summary"] + alert["description"]) for alert in alerts]
        for expr, text in asked:
            for fault in _faults(expr, text, metrics, known):
                yield f"{item['name']}: {expr}: {fault}"


def all_on_the_board(metrics: list[Json], known: Known) -> Iterator[str]:
    exprs = [
        query["expr"] for item in metrics for query in item.get("panel", {}).get("queries", [])
    ]
    shown = {name for expr in exprs for name in names_in(expr)}
    for item in metrics:
        if not shown & series_of(item):
            yield f"{item['name']}: no panel shows it"


def alerts_named_once(metrics: list[Json], known: Known) -> Iterator[str]:
    names = [alert["name"] for item in metrics for alert in item.get("alerts", [])]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name}: two alerts of this name"


def series_of(item: Json) -> set[str]:
    """The names under which a query finds the metric."""
    name = item["name"]
    return {name + part for part in PARTS} if item["type"] == "histogram" else {name}


def names_in(expr: str) -> set[str]:
    """The names of the metrics that a query of PromQL asks for."""
    return set(_NAME.findall(_ASIDE.sub(" ", expr))) - WORDS


def _faults(expr: str, text: str, metrics: list[Json], known: Known) -> Iterator[str]:
    declared = {name: item for item in metrics for name in series_of(item)}
    asked = names_in(expr)
    for name in sorted(asked - set(declared)):
        yield f"{name} is no declared metric"
    labels = TARGET_LABELS | {
        label for name in asked & set(declared) for label in declared[name].get("labels", {})
    }
    grouped = [label.strip() for group in _GROUPING.findall(expr) for label in group.split(",")]
    histogram = {"le"} if any(name.endswith("_bucket") for name in asked) else set()
    for label in sorted(set(grouped) - labels - histogram):
        yield f"{label} is no label of what it asks for"
    for label in sorted(set(_SHOWN.findall(text)) - labels):
        yield f"{label} is shown, but is no label of what it asks for"
    for name, matchers in _SELECTOR.findall(expr):
        if name in declared:
            yield from _unlisted(declared[name], matchers, known)


def _unlisted(item: Json, matchers: str, known: Known) -> Iterator[str]:
    found = _MATCHER.findall(matchers)
    if not found:
        yield f"cannot read {{{matchers}}}"
    for label, operator, value in found:
        if label in TARGET_LABELS:
            continue
        if label not in item.get("labels", {}):
            yield f"{item['name']} has no label {label}"
            continue
        values = values_of(item["labels"][label], known)
        exact = operator in {"=", "!="}
        if not any(value == one if exact else re.fullmatch(value, one) for one in values):
            yield f"{label} is never {value}"


METRIC_RULES: list[Callable[[list[Json], Known], Iterator[str]]] = [
    named_well,
    buckets_ascend,
    processes_put_together,
    labels_closed,
    queries_declared,
    all_on_the_board,
    alerts_named_once,
]
