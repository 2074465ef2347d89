"""When a provider is taken for away, and when it is asked again."""

from dataclasses import dataclass

import pytest

from impl.llm.availability import SLOTS, Bounds, Counted, Standing, State, Window


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_window_slides() -> None:
    clock = Clock()
    window = Window(60, clock)
    window.add(good=False)
    clock.now += 30
    window.add(good=True)
    assert window.counted() == (2, 1)
    clock.now += 31
    assert window.counted() == (1, 1)
    clock.now += 60
    assert window.counted() == (0, 0)


def test_it_keeps_no_more_than_its_slots() -> None:
    clock = Clock()
    window = Window(60, clock)
    for _ in range(1000):
        clock.now += 0.5
        window.add(good=True)
    assert len(window._slots) <= SLOTS
    assert window.counted()[0] == pytest.approx(120, abs=3)


@pytest.mark.parametrize(
    ("calls", "good", "falls"),
    [(33, 0, False), (34, 34, False), (34, 33, False), (34, 32, True), (100, 97, False),
     (100, 96, True), (1000, 970, False), (1000, 969, True)],
)  # fmt: skip
def test_below_97_percent_of_34_calls_or_more_it_is_away(
    calls: int, good: int, falls: bool
) -> None:
    assert Bounds().broken_by(calls, good) is falls


def fallen(bounds: Bounds) -> Standing:
    standing = Standing(bounds, Clock())
    assert standing.failed(trial=False) == Counted(1, 0)
    return standing


def test_it_falls_once() -> None:
    standing = fallen(Bounds(calls=1))
    assert standing.failed(trial=False) is None
    assert standing.good(trial=False) is False  # it was asked before
    assert standing.take() == (False, False)


def test_after_a_good_probe_one_call_tries_and_no_other() -> None:
    standing = fallen(Bounds(calls=1))
    standing.probed_well()
    assert standing.take() == (True, True)
    assert standing.take() == (False, False)
    assert standing.good(trial=True) is True
    assert standing.take() == (True, False)
    assert standing.failed(trial=False) == Counted(1, 0)  # the window began anew


def test_a_trial_that_fails_waits_for_the_next_probe() -> None:
    standing = fallen(Bounds(calls=1))
    standing.probed_well()
    standing.take()
    assert standing.failed(trial=True) is None
    assert standing.take() == (False, False)
    standing.probed_well()
    assert standing.take() == (True, True)


def test_a_trial_that_its_caller_leaves_is_another_calls() -> None:
    standing = fallen(Bounds(calls=1))
    standing.probed_well()
    standing.take()
    standing.given_up(trial=True)
    assert standing.take() == (True, True)


def test_a_late_probe_changes_nothing() -> None:
    standing = Standing(Bounds(), Clock())
    standing.probed_well()
    assert standing.state is State.UP
