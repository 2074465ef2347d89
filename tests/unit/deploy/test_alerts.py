"""The generated alert rules, tried by promtool on series that rise and fall."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import promtool
from tools.contract import ROOT
from tools.promtool import ALERTS

TESTS = Path(__file__).with_name("alerts_test.yaml")


@pytest.fixture
def cases() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(TESTS.read_text())
    return found | {"rule_files": [str(ALERTS)]}


def run(cases: dict[str, Any], folder: Path) -> tuple[int, str]:
    path = folder / "test.yaml"
    path.write_text(json.dumps(cases))
    done = promtool.run("test", "rules", str(path))
    return done.returncode, done.stdout + done.stderr


def test_each_alert_fires_and_clears(cases: dict[str, Any], tmp_path: Path) -> None:
    code, said = run(cases, tmp_path)
    assert code == 0, said


def test_the_cases_would_notice_a_wrong_threshold(cases: dict[str, Any], tmp_path: Path) -> None:
    """Not vacuous: with another number in the rule the same cases fail."""
    for right, wrong in (("> 1000", "> 2000"), ("> 1.5", "> 3"), ("> 5\n", "> 9\n")):
        rules = tmp_path / "wrong.yaml"
        text = ALERTS.read_text()
        assert right in text
        rules.write_text(text.replace(right, wrong))
        code, said = run(cases | {"rule_files": [str(rules)]}, tmp_path)
        assert code == 1, f"{right} → {wrong}: {said}"


def test_no_alert_is_without_a_case_of_each_kind(cases: dict[str, Any]) -> None:
    tried = [item for test in cases["tests"] for item in test["alert_rule_test"]]
    fired = {item["alertname"] for item in tried if item["exp_alerts"]}
    cleared = {item["alertname"] for item in tried if not item["exp_alerts"]}
    rules = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
    assert fired == cleared == {rule["alert"] for rule in rules}


def test_the_operators_page_says_of_each_alert_where_to_look() -> None:
    table = (ROOT / "docs" / "operations.md").read_text().partition("## Alerts")[2]
    rules = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
    assert set(re.findall(r"`(Botcore\w+)`", table)) == {rule["alert"] for rule in rules}
