"""What `triggers.yaml` declares runs, and what runs is declared."""

import ast
import re
from pathlib import Path

import pytest

from generated import triggers as made
from impl.settings import Settings
from tools.contract import ROOT
from tools.triggers import constant_name, running, triggers

DECLARED, RUNNING = triggers(), running()
SOURCES = sorted((ROOT / "impl").rglob("*.py"))


def fired(source: Path) -> set[str]:
    """The second argument of each call of `fired(metrics, TRIGGER, …)`."""
    calls = (node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Call))
    return {
        ast.unparse(call.args[1])
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "fired"
    }


FIRED = {name for source in SOURCES for name in fired(source)}


def test_what_is_declared_is_fired_and_what_is_fired_is_declared() -> None:
    assert {constant_name(id_) for id_ in RUNNING} == FIRED


def test_what_is_pending_does_not_run() -> None:
    pending = {constant_name(id_) for id_, item in DECLARED.items() if "pending" in item}
    assert not [name for name in pending if hasattr(made, name)]


def test_every_name_of_a_trigger_is_known() -> None:
    """In the code as in what is told: TR-… is written nowhere that the data does not know."""
    known = set(DECLARED) | {"TR-007"}
    for source in SOURCES:
        assert set(re.findall(r"TR-\d{3}", source.read_text())) <= known, source


def test_another_name_is_the_same_trigger() -> None:
    for id_, item in DECLARED.items():
        if "same_as" in item:
            assert made.TRIGGERS[id_] is made.TRIGGERS[item["same_as"]]
    assert set(made.TRIGGERS) == {id_ for id_, item in DECLARED.items() if "pending" not in item}


@pytest.mark.parametrize("id_", RUNNING)
def test_its_events_are_published_by_the_code(id_: str) -> None:
    """Each by its constant of generated/events.py."""
    text = "\n".join(source.read_text() for source in SOURCES)
    for event in RUNNING[id_]["events"]:
        assert re.search(rf"published\({event.upper()}\b", text), event


@pytest.mark.parametrize(
    ("name", "default"),
    [pair for item in RUNNING.values() for pair in item.get("settings", {}).items()],
)
def test_its_settings_are_settings_with_these_defaults(name: str, default: float) -> None:
    assert Settings.model_fields[name].default == default == getattr(made, name.upper())


@pytest.mark.parametrize(
    ("name", "value"),
    [pair for item in RUNNING.values() for pair in item.get("constants", {}).items()],
)
def test_its_constants_are_those_that_decide(name: str, value: float) -> None:
    assert getattr(made, name.upper()) == value
    users = [source for source in SOURCES if re.search(rf"\b{name.upper()}\b", source.read_text())]
    assert users, f"{name} decides nothing"


def test_docs_tell_each() -> None:
    text = (ROOT / "docs" / "TRIGGERS.md").read_text()
    for id_, item in DECLARED.items():
        (row,) = re.findall(rf"^\| {id_} \|.*$", text, re.MULTILINE)
        assert ("Does not run yet" in row) == ("pending" in item)
        assert f"`{item['severity']}`" in row
