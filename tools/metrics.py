"""The contract's metrics (`x-metrics`), with the values of their labels worked out."""

from pathlib import Path
from typing import Any

from tools.contract import CONTRACT, Json, operations, pascal_case
from tools.triggers import running

PREFIX = "botcore_"
# The requirements name these so, without the prefix.
GIVEN = {"llm_requests_total", "llm_tokens_total", "llm_errors_total"}
# As the client library names what becomes of several processes' gauges; of those alone that live.
MODES = {"sum": "livesum", "max": "livemax", "min": "livemin", "latest": "livemostrecent"}
MISTAKES = "botcore_metric_mistakes_total"


def sources(
    core: Json, events: Json, codes: list[str], folder: Path = CONTRACT
) -> dict[str, list[str]]:
    """What a label's `from` may name, each with its values."""
    found = operations(core)
    statuses = {status for operation in found for status in operation.spec["responses"]}
    addresses = [channel["address"] for channel in events["channels"].values()]
    schemas = core["components"]["schemas"] | events["components"]["schemas"]
    return {
        "operations": [operation.spec.get("operationId", "") for operation in found],
        "statuses": sorted(statuses),
        "error_codes": codes,
        # One a kind of stream: a plugin's id would be a series for each plugin.
        "streams": [address.partition(":{")[0] for address in addresses],
        "metrics": [item["name"] for item in of_core(core)],
        "triggers": list(running(folder)),
    } | {f"schemas/{name}": schema["enum"] for name, schema in schemas.items() if "enum" in schema}


def of_core(document: Json) -> list[Json]:
    """The metrics that the core itself keeps."""
    return [item for item in document["x-metrics"] if item.get("by", "core") == "core"]


def values_of(label: Json, known: dict[str, list[str]]) -> list[str]:
    """A label's values; a list that is not there has none, which the rules tell."""
    return [*known.get(label.get("from", ""), []), *label.get("values", [])]


def metrics_context(core: Json, events: Json, codes: list[str]) -> dict[str, Any]:
    """What the template of `generated/metrics.py` needs."""
    known = sources(core, events, codes)
    aliases: dict[str, list[str | int]] = {}
    metrics = [_metric(item, known, aliases) for item in of_core(core)]
    mistakes = next(item for item in metrics if item["name"] == MISTAKES)
    return {"metrics": metrics, "aliases": aliases, "mistakes": mistakes}


def _metric(item: Json, known: dict[str, list[str]], aliases: dict[str, list[str | int]]) -> Json:
    attribute = item["name"].removeprefix(PREFIX)
    pascal = pascal_case(attribute)
    labels = [
        {"name": name, "alias": _alias(pascal, name, values_of(label, known), aliases)}
        for name, label in item.get("labels", {}).items()
    ]
    return {
        "name": item["name"],
        "attribute": attribute,
        "pascal": pascal,
        "kind": item["type"].capitalize(),
        "help": item["help"],
        "labels": labels,
        "mode": MODES.get(item.get("across", "")),
        "buckets": tuple(item.get("buckets", ())),
    }


def _alias(metric: str, label: str, values: list[str], aliases: dict[str, list[str | int]]) -> str:
    """One type for each set of values: the label's name, or that with the metric's."""
    typed: list[str | int] = [int(value) if value.isdigit() else value for value in values]
    name = f"{pascal_case(label)}Label"
    if aliases.setdefault(name, typed) != typed:
        name = f"{metric}{name}"
        aliases[name] = typed
    return name
