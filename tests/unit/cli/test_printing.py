import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest

from impl.cli.printing import moment, show

ID = UUID("7f1d2c3e-5b6a-4c8d-9e0f-112233445566")
THEN = datetime(2026, 11, 22, 10, 15, 30, tzinfo=UTC)


@dataclass
class Row:
    id: UUID
    name: str | None
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None = None


ROWS = [Row(ID, "Погода", ["a:b", "c:d"], THEN), Row(ID, None, [], THEN, THEN)]
NAMES = ("id", "name", "scopes", "created_at", "last_used_at")


def test_a_table_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    show(ROWS, NAMES, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "ID                                    NAME    SCOPES   CREATED           LAST USED",
        f"{ID}  Погода  a:b,c:d  2026-11-22 10:15  -",
        f"{ID}  -       -        2026-11-22 10:15  2026-11-22 10:15",
    ]


def test_json_is_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    show(ROWS[:1], NAMES, as_json=True)
    out = capsys.readouterr().out
    assert "Погода" in out
    assert json.loads(out) == [
        {
            "id": str(ID),
            "name": "Погода",
            "scopes": ["a:b", "c:d"],
            "created_at": "2026-11-22T10:15:30+00:00",
            "last_used_at": None,
        }
    ]


def test_no_rows_are_a_head_or_an_empty_array(capsys: pytest.CaptureFixture[str]) -> None:
    show([], ("id", "name"), as_json=False)
    show([], ("id", "name"), as_json=True)
    assert capsys.readouterr().out == "ID  NAME\n[]\n"


def test_never_is_a_dash() -> None:
    assert moment(None) == "-"
