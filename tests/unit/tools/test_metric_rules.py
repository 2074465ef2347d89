"""A metric, a panel or an alert that says what is not so is told."""

from pathlib import Path

import pytest

from tests.unit.tools.conftest import Edit
from tools.metric_rules import METRIC_RULES, names_in
from tools.rules import findings

# Of each rule the changes that break it: what to replace in metrics.yaml, by what, what is said.
BROKEN = {
    "named_well": [
        ("name: botcore_requests_under_way", "name: requests_under_way",
         "requests_under_way: the core's metrics begin with botcore_"),
        ("name: botcore_queue_depth", "name: botcore_queue_depth_total", "a counter, and nothing"),
        ("name: botcore_calls_recovered_total", "name: botcore_calls_recovered",
         "a counter, and nothing else, ends with _total"),
        ("name: botcore_stream_lag_seconds", "name: botcore_stream_lag", "demands _seconds"),
        ("name: process_max_fds", "name: process_open_fds", "process_open_fds: declared twice"),
        ("- name: botcore_metric_mistakes_total", "- name: botcore_mistakes_total",
         "botcore_metric_mistakes_total is missing"),
    ],
    "buckets_ascend": [
        ("[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16]", "[0.01, 2, 1]", "do not ascend"),
        ("  help: Tokens of", "  buckets: [1, 2]\n  help: Tokens of", "has buckets"),
    ],
    "processes_put_together": [
        ("  across: latest\n  help: Calls, lost calls", "  help: Calls, lost calls",
         "botcore_queue_depth: a gauge of the core, and nothing else, says `across`"),
        ("  help: Tokens of", "  across: sum\n  help: Tokens of", "nothing else, says `across`"),
    ],
    "labels_closed": [
        ("from: schemas/PluginErrorCode", "from: schemas/Text", "no such list as schemas/Text"),
        ("values: [client_disconnected]", "values: [not_found]", "code: not_found is listed twice"),
    ],
    "queries_declared": [
        ("max by (queue) (botcore_queue_depth)'", "max by (queue) (botcore_depth)'",
         "botcore_depth is no declared metric"),
        ("(botcore_plugin_latency_seconds_bucket[", "(botcore_plugin_latency_seconds[",
         "botcore_plugin_latency_seconds is no declared metric"),
        ("max by (queue) (botcore_queue_depth) > 1000", "max by (queues) (botcore_queue_depth) > 1",
         "queues is no label of what it asks for"),
        ("wait in {{ $labels.queue }}", "wait in {{ $labels.kind }}",
         "kind is shown, but is no label"),
        ('{dependency="redis"}', '{dependency="valkey"}', "dependency is never valkey"),
        ('{dependency="redis"}', '{dependent="redis"}', "has no label dependent"),
        ('{dependency="redis"}', "{dependency=redis}", "cannot read {dependency=redis}"),
        ('status=~"5.."', 'status=~"6.."', "status is never 6.."),
    ],
    "all_on_the_board": [
        ("sum(botcore_database_connections_limit)", "sum(botcore_database_connections)",
         "botcore_database_connections_limit: no panel shows it"),
    ],
    "alerts_named_once": [
        ("BotcoreRedisDown", "BotcoreDatabaseDown", "BotcoreDatabaseDown: two alerts of this name"),
    ],
}  # fmt: skip
CASES = [(rule, *case) for rule, cases in BROKEN.items() for case in cases]


@pytest.mark.parametrize(("rule", "old", "new", "said"), CASES)
def test_a_broken_rule_is_told(  # noqa: PLR0917  # its fixtures and parameters
    contract: Path, edit: Edit, rule: str, old: str, new: str, said: str
) -> None:
    edit("metrics.yaml", old, new)
    assert any(said in finding for finding in findings(contract)), findings(contract)


def test_every_rule_is_broken_above() -> None:
    assert {rule.__name__ for rule in METRIC_RULES} == set(BROKEN)


def test_metrics_of_another_shape_are_told_by_their_schema_alone(
    contract: Path, edit: Edit
) -> None:
    edit("metrics.yaml", "  type: gauge\n", "")
    assert findings(contract) == ["openapi.yaml: x-metrics: $[2]: 'type' is a required property"]


def test_a_label_whose_operation_is_gone_is_told(contract: Path, edit: Edit) -> None:
    edit("metrics.yaml", '(botcore_requests_total{status=~"5.."}[5m])',
         '(botcore_requests_total{operation="getDialogue"}[5m])')  # fmt: skip
    assert any("operation is never getDialogue" in finding for finding in findings(contract))


@pytest.mark.parametrize(
    ("expr", "names"),
    [
        ("up", {"up"}),
        (
            'sum by (a, b) (rate(x_total{a=~"y|z"}[5m])) / on (a) z_sum > bool 1e3',
            {"x_total", "z_sum"},
        ),
        ("a:b and c unless d offset 5m", {"a:b", "c", "d"}),
        ("time() - process_start_time_seconds", {"process_start_time_seconds"}),
    ],
)
def test_the_metrics_that_a_query_asks_for(expr: str, names: set[str]) -> None:
    assert names_in(expr) == names
