"""docs/CONTRACTS/SECURITY.md names every operation and item, and only tests that exist."""

import ast
import re
from functools import cache

import pytest

from tools.bundler import bundle
from tools.contract import ROOT, Operation, operations
from tools.docs import security
from tools.docs.security import ITEMS, NOT_EVERYWHERE, controls, row

OPERATIONS = operations(bundle("openapi.yaml"))
TABLE = (ROOT / "docs" / "CONTRACTS" / "SECURITY.md").read_text().partition("## Each operation")[2]


@cache
def functions_of(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    named = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return {node.name for node in named if node.name.startswith("test_")}


@pytest.mark.parametrize("name", controls())
def test_a_control_says_what_holds_where_and_who_shows_it(name: str) -> None:
    control = controls()[name]
    assert set(control) == {"item", "what", "where", "tests"}
    assert control["item"] in ITEMS
    for place in control["where"].split(", "):
        assert (ROOT / place).exists(), place
    assert control["tests"]
    for test in control["tests"]:
        file, _, function = test.partition("::")
        assert (ROOT / file).is_file(), file
        assert function in functions_of(file), test


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_an_operation_is_held_against_each_item(operation: Operation) -> None:
    found = row(operation)
    assert list(found) == list(ITEMS)
    for item in set(ITEMS) - NOT_EVERYWHERE:
        assert found[item], f"{item}: no control holds at {operation.id}"
    if operation.spec["security"]:
        assert found["API1"]
        assert found["API5"]
    assert TABLE.count(f"\n| [`{operation.id}`]") == 1


def test_no_control_is_for_nothing() -> None:
    used = {name for operation in OPERATIONS for names in row(operation).values() for name in names}
    assert used == set(controls())


def test_what_the_contract_does_not_say_is_said_of_its_operations() -> None:
    ids = {operation.id for operation in OPERATIONS}
    for named in (
        security.CALLS_PLUGIN, security.CALLS_MODEL, security.CALLS_WEBHOOK, security.PASSED_ON,
        security.JOINS, security.OTHERS_EVENTS,
    ):  # fmt: skip
        assert named <= ids


def test_the_threat_model_names_each_item() -> None:
    text = (ROOT / "docs" / "SECURITY.md").read_text()
    for item, title in ITEMS.items():
        assert f"| {item} {title} |" in text
    for path in re.findall(r"`((?:impl|tests|tools|contracts)/[\w/.-]+)`", text):
        assert (ROOT / path).exists(), path
