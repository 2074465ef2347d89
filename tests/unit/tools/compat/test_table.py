"""The table of single changes: each is told for what it is, and named."""

from pathlib import Path

import pytest

from tests.unit.tools.compat import harmless
from tests.unit.tools.compat.changing import Case, both
from tests.unit.tools.compat.table import BREAKING, COMPATIBLE
from tools.compat.compare import differences

TOLD: dict[str, str] = {}


def rows(table: dict[str, list[Case]]) -> list[object]:
    return [
        pytest.param(f"{group}: {one.name}", one, id=f"{group}: {one.name}")
        for group, cases in table.items()
        for one in cases
    ]


@pytest.mark.parametrize(("name", "one"), rows(BREAKING))
def test_a_breaking_change_is_told_and_named(name: str, one: Case, copy: Path) -> None:
    changes = differences(*both(one, copy))
    told = [change for change in changes if change.breaks and one.said in change.what]
    assert told, changes
    TOLD[name] = str(told[0])


@pytest.mark.parametrize(("name", "one"), rows(COMPATIBLE))
def test_a_compatible_change_is_told_and_breaks_nobody(name: str, one: Case, copy: Path) -> None:
    changes = differences(*both(one, copy))
    assert not [change for change in changes if change.breaks], changes
    told = [change for change in changes if one.said in change.what]
    assert told, changes
    TOLD[name] = str(told[0])


@pytest.mark.parametrize("one", harmless.UNTOLD, ids=lambda one: one.name)
def test_what_is_for_people_is_no_change(one: Case, copy: Path) -> None:
    assert differences(*both(one, copy)) == []


def test_all_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """The table itself: `pytest -s` prints it, the score is printed always."""
    for kind, table in (("breaking", BREAKING), ("compatible", COMPATIBLE)):
        names = [f"{group}: {one.name}" for group, cases in table.items() for one in cases]
        for name in names:
            print(f"{kind:<11} {name:<56} {TOLD.get(name, 'not told')}")
        with capsys.disabled():
            print(f"\n{kind}: {sum(name in TOLD for name in names)} of {len(names)} told")
