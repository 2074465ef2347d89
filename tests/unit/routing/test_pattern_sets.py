"""Which patterns share a set."""

import pytest

from impl.routing.pattern_sets import Patterned, PatternSets, compile_together
from impl.routing.patterns import MAX_COST


def together(*plugins: list[str]) -> PatternSets[str]:
    return compile_together(Patterned(tuple(patterns), tuple(patterns)) for patterns in plugins)


def test_the_patterns_of_all_plugins_are_one_set_and_tell_whose_they_are() -> None:
    sets = together(*([rf"^/c{number}\b", f"word{number}$"] for number in range(100)))
    assert len(sets.sets) == 1
    assert sets.fired("/c7 word42") == [r"^/c7\b", "word42$"]
    assert sets.fired("else") == []


def test_no_plugin_and_no_pattern_are_no_set() -> None:
    assert together([], []).sets == ()
    assert together().fired("x") == []


def test_beyond_the_budget_of_a_plugin_there_are_more_sets() -> None:
    ordinary = [[rf"(?i)\b(weather{number}|forecast)\s+in\s+(\w+)"] for number in range(100)]
    sets = together(*ordinary)
    assert len(sets.sets) == 2
    assert sets.fired("weather7 in Berlin") == ordinary[7]
    assert len(sets.fired("forecast in Berlin")) == 100


def test_whose_patterns_are_dear_has_a_set_of_its_own() -> None:
    dear = ["a" + "." * (MAX_COST // 2)]
    sets = together(dear, *([f"word{number}"] for number in range(20)), list(reversed(dear)))
    assert [len(one.rules) for one in sets.sets] == [20, 1, 1]


def test_more_than_fits_into_one_set_is_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impl.routing.pattern_sets.SHARED_BYTES", 100_000)
    many = [[rf"^/{number:02}x{index:03}\b" for index in range(90)] for number in range(20)]
    sets = together(*many)
    assert 1 < len(sets.sets) < 20
    assert sets.fired("/07x042 now") == [r"^/07x042\b"]
