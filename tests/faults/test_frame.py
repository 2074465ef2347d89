"""A run cannot pass by not running."""

import asyncio
import json
import random
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults.errors import CannotRunError
from tests.faults.groups import Fault, Run, run_row
from tests.faults.log import percentile
from tests.faults.plugins.behaviours import TABLE, hang
from tests.faults.results import Row, exit_code, page, table, write_json
from tests.faults.scale import SHORT
from tests.faults.world import Servers


def run_with(scale: Any = SHORT) -> Run:
    return Run(Servers("postgresql://nowhere", "none"), scale, random.Random(1), lambda _: None)


async def test_a_row_that_cannot_be_run_is_no_pass() -> None:
    async def impossible(_run: Run, row: Row) -> None:
        row.requests = 5
        raise CannotRunError("no server")

    async def mistaken(_run: Run, _row: Row) -> None:
        raise KeyError("x")

    async def without_requests(_run: Run, _row: Row) -> None:
        pass

    for body in (impossible, mistaken, without_requests):
        row = await run_row(Fault("plugins", "x", body), run_with())
        assert row.verdict == "NOT RUN"
        assert exit_code([Row("plugins", "good", requests=1), row]) == 2


async def test_a_row_that_does_not_end_fails() -> None:
    async def endless(_run: Run, row: Row) -> None:
        row.requests = 1
        await hang_for_ever()

    row = await run_row(Fault("plugins", "x", endless), run_with(replace(SHORT, row_seconds=0.05)))
    assert row.verdict == "FAIL"
    assert exit_code([row, Row("plugins", "not run")]) == 1


async def hang_for_ever() -> None:
    await asyncio.Event().wait()


def test_a_run_is_told_to_people_and_to_machines(tmp_path: Path) -> None:
    rows = [
        Row("plugins", "good", rounds=2, requests=7, acknowledged=3, p99_ms=12.34, notes=["well"]),
        Row("plugins", "bad", requests=7, lost=1, faults=["lost: m-1"]),
    ]
    path = write_json(rows, tmp_path, seed=1)
    document = json.loads(path.read_text())
    assert (document["seed"], document["exit_code"]) == (1, 1)
    assert [row["verdict"] for row in document["rows"]] == ["PASS", "FAIL"]
    assert document["rows"][0]["p99_ms"] == 12.3
    assert table(rows).splitlines()[2].split()[-7:] == ["2", "7", "3", "0", "0", "12", "PASS"]
    written = partial(page, command="make faults", seed=1)
    text = written(rows, "", day="2026-01-02")
    assert "| plugins: bad | 0 | 7 | 0 | 1 | 0 | - | FAIL |" in text
    assert "lost: m-1" in text
    both = written([Row("beside", "good")], text, day="2026-01-03")
    assert both.count("\n## ") == 2
    assert "Run of 2026-01-02" in both
    assert "Run of 2026-01-03" in both
    assert written(rows, both, day="2026-01-02").count("| plugins: bad |") == 1
    mended = written(
        [Row("plugins", "bad", rounds=1, requests=1)], both, day="2026-01-04", whole=False
    )
    assert "| plugins: bad | 1 | 1 | 0 | 0 | 0 | - | PASS |" in mended
    assert "lost: m-1" not in mended
    assert "| plugins: good | 2 |" in mended
    assert "- bad: run by itself, 2026-01-04" in mended
    assert exit_code([]) == 2


def test_the_table_of_wrong_behaviour_is_whole() -> None:
    names = [case.name for case in TABLE]
    assert len(set(names)) == len(names)
    assert hang in {case.behave for case in TABLE}
    assert percentile([], 0.99) is None
    assert percentile(range(1, 101), 0.99) == 99
