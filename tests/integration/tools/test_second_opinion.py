"""Redocly's comparison beside ours: it finds nothing that ours does not judge already.

It reads no extension, so those rows of the table are left out.
"""

import shutil
from pathlib import Path

import pytest

from tests.unit.tools.compat.changing import Case, Edit, bundled, case
from tests.unit.tools.compat.table import BREAKING, COMPATIBLE
from tools.compat.compare import compare, differences
from tools.compat.redocly import opinions, unseen
from tools.compat.released import current
from tools.contract import CONTRACT

UNREAD = {"extension", "rest"}


def batches() -> list[list[Case]]:
    """The changes in as few sets as touch no file twice: redocly takes half a second for each."""
    found: list[tuple[list[Case], set[str]]] = []
    for group, cases in (*BREAKING.items(), *COMPATIBLE.items()):
        for one in cases if group not in UNREAD else []:
            files = {file for file, _, _ in one.edits}
            if one.before:
                continue
            room = next((batch for batch in found if not batch[1] & files), None)
            if room is None:
                room = ([], set())
                found.append(room)
            room[0].append(one)
            room[1].update(files)
    return [cases for cases, _ in found]


def together(cases: list[Case]) -> Case:
    edits: tuple[Edit, ...] = tuple(edit for one in cases for edit in one.edits)
    return case(" + ".join(one.name for one in cases), "", *edits)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contract") / "v1alpha"
    shutil.copytree(CONTRACT, folder)
    return folder


def test_redocly_adds_nothing_to_ours(copy: Path) -> None:
    sets = batches()
    assert sum(map(len, sets)) > 100
    for cases in sets:
        new = bundled(copy, together(cases).edits)
        ours = differences(current(), new)
        assert list(unseen(opinions(current(), new), ours)) == [], together(cases).name


def test_what_ours_does_not_see_counts(copy: Path) -> None:
    new = bundled(copy, (("schemas/UserUpsertV1.yaml", "required", ["locale"]),))
    found = list(unseen(opinions(current(), new), []))
    assert found
    assert all(change.breaks for change in found)
    assert any("required-properties-added" in change.why for change in found)


def test_the_whole_comparison_asks_redocly(copy: Path) -> None:
    """A parameter of a whole path is nothing that our contract has, or ours reads."""
    parameter = {"name": "at", "in": "query", "required": True, "schema": {"type": "string"}}
    new = bundled(copy, (("paths/users.yaml", "parameters", [parameter]),))
    assert differences(current(), new) == []
    assert ["`at`" in change.what for change in compare(current(), new)] == [True]
