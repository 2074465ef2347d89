"""What a plugin's patterns may cost, and that they match what they say."""

import random
import time

import pytest
import re2

from impl.routing.patterns import MAX_COST, PatternSet, TooCostlyError, check_pattern, cost


class SilentSet:
    """A set of RE2 that ran out of memory: it names no pattern at all, not even `ALWAYS`."""

    def Match(self, _text: bytes) -> None:  # noqa: N802  # RE2's name
        return None


def test_every_pattern_that_matches_is_a_hit_and_no_other() -> None:
    patterns = PatternSet(["^/weather", "rain", "(?i)ПОГОДА", "$"])
    assert sorted(patterns.hits(b"/weather rain")) == [0, 1, 3]
    assert sorted(patterns.hits("какая погода".encode())) == [2, 3]
    assert PatternSet(["x"]).hits(b"") == []


def test_a_set_that_fails_is_noticed_and_its_patterns_are_tried_one_by_one() -> None:
    patterns = PatternSet(["^/weather", "rain", "snow"])
    patterns._set = SilentSet()
    assert patterns.hits(b"/weather rain") == [0, 1]


@pytest.mark.parametrize(
    "patterns",
    [
        [rf"^/command{number}\b" for number in range(200)],
        [r"(?i)\b(weather|forecast)\s+in\s+(\w+)"] * 15,
        [r"[\p{L}\p{N}._%+-]+@[\p{L}\p{N}.-]+\.[a-z]{2,24}"],
        [r"(?i)привет,?\s+(как|где)\s+\p{L}+"] * 5,
        [r"^\+?\d{10,15}$", r"^/order\s+\d{1,6}$", ".*"],
    ],
)
def test_ordinary_patterns_are_taken(patterns: list[str]) -> None:
    for pattern in patterns:
        check_pattern(pattern)
    PatternSet(patterns)


@pytest.mark.parametrize(
    "patterns",
    [
        [r"[ab]{0,500}a[ab]{200}c"],
        [r"[ab]{0,30}a[ab]{15}c" + "y" * index for index in range(12)],
        [r"(?i)(abcdefgh|ijklmnop){1,900}" + "x" * index for index in range(12)],
        ["a" + "[ab]" * (MAX_COST + 1)],
        ["a" + r"\w" * (MAX_COST + 1)],
        ["a" + "." * (MAX_COST + 1)],
        ["(a|b)" * (MAX_COST + 1)],
        ["(?:д|жз?|ж)" * (MAX_COST + 1)],
        ["aa?" * MAX_COST],
        ["a" + r"\Q.\E?" * (MAX_COST + 1)],
        [r"\pL\PL" * 10] * 5,
    ],
)
def test_what_could_hold_up_the_routing_is_refused(patterns: list[str]) -> None:
    with pytest.raises(TooCostlyError):
        PatternSet(patterns)


def test_a_pattern_too_large_and_one_that_is_none_are_told_apart() -> None:
    with pytest.raises(TooCostlyError):
        check_pattern(r"\pL{100}")
    with pytest.raises(re2.error):
        check_pattern("(((")


@pytest.mark.parametrize(
    "family", [r"[ab]{{0,{}}}a[ab]{{20}}c", r"(a|b)*a(a|b){{{}}}c", "a.{{{}}}x"]
)
def test_a_manifest_at_the_cap_routes_the_worst_text_in_time(family: str) -> None:
    largest = max(n for n in range(1, MAX_COST) if cost([family.format(n)]) <= MAX_COST)
    patterns = PatternSet([family.format(largest)])
    texts = ["ab" * 2048, "".join(random.Random(1).choices("aab", k=4096))]
    for text in texts:
        started = time.thread_time()
        patterns.hits(text.encode())
        assert time.thread_time() - started < 0.2  # CPU; 20 ms here, 2.3 s without the cap
