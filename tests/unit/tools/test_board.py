"""The board and the rules that operators load say what the contract declares."""

import json
from typing import Any

import pytest
import yaml

from tools import promtool
from tools.board import dashboard, deployed
from tools.bundler import bundle
from tools.contract import ROOT
from tools.metric_rules import names_in, series_of

METRICS = bundle("openapi.yaml")["x-metrics"]


@pytest.fixture
def board() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana.json").read_text())
    return found


def test_every_metric_is_on_the_board_and_nothing_else(board: dict[str, Any]) -> None:
    asked = [names_in(target["expr"]) for panel in board["panels"] for target in panel["targets"]]
    declared = {name: metric["name"] for metric in METRICS for name in series_of(metric)}
    shown = {declared[name] for names in asked for name in names}  # a KeyError is no declared one
    assert shown == {metric["name"] for metric in METRICS}


def test_every_panel_reads_from_the_source_that_one_chooses(board: dict[str, Any]) -> None:
    (variable,) = board["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == (
        "datasource", "datasource", "prometheus",
    )  # fmt: skip
    for panel in board["panels"]:
        for holder in (panel, *panel["targets"]):
            assert holder["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_panels_have_their_own_number_and_place(board: dict[str, Any]) -> None:
    numbers = [panel["id"] for panel in board["panels"]]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]}
    assert len(set(numbers)) == len(places) == len(numbers)
    assert "id" not in board  # the importing Grafana gives one
    for panel in board["panels"]:
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24


def test_promtool_reads_every_query_of_the_board(board: dict[str, Any], tmp_path: Any) -> None:
    exprs = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    rules = [
        {"record": f"query_{number}", "expr": expr.replace("$__rate_interval", "1m")}
        for number, expr in enumerate(exprs)
    ]
    path = tmp_path / "board.yaml"
    path.write_text(json.dumps({"groups": [{"name": "board", "rules": rules}]}))
    done = promtool.run("check", "rules", str(path))
    assert done.returncode == 0, done.stderr
    assert f"{len(exprs)} rules found" in done.stdout


def test_what_is_deployed_is_made_of_the_metrics_alone() -> None:
    one = [metric for metric in METRICS if metric["name"] == "up"]
    assert [panel["title"] for panel in dashboard(one)["panels"]] == ["Instances"]
    rules = yaml.safe_load(deployed(one)["deploy/alerts.yaml"])
    assert [rule["alert"] for rule in rules["groups"][0]["rules"]] == ["BotcoreDown"]
