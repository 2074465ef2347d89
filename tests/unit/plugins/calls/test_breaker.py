"""When a plugin is left alone, and how it comes back."""

import pytest

from impl.plugins.calls.breaker import Admission, Breaker, BreakerRules, Verdict
from tests.unit.plugins.calls.test_retries import Clock

RULES = BreakerRules(window_seconds=10, calls=4, failures=0.5, open_seconds=5)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(RULES, clock)


def call(breaker: Breaker, verdict: Verdict) -> Admission:
    admission = breaker.admit()
    if admission is not Admission.REFUSED:
        breaker.note(admission, verdict)
    return admission


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        call(breaker, Verdict.FAILING)


def test_few_failures_say_nothing(breaker: Breaker) -> None:
    fail(breaker, 3)
    assert call(breaker, Verdict.FAILING) is Admission.ORDINARY
    assert not breaker.closed
    assert breaker.admit() is Admission.REFUSED
    assert breaker.seconds_left == 5


def test_failures_count_as_a_share(breaker: Breaker) -> None:
    for _ in range(3):
        call(breaker, Verdict.ALIVE)
    fail(breaker, 2)
    assert breaker.closed
    fail(breaker, 1)
    assert not breaker.closed


def test_old_failures_are_forgotten(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 10
    fail(breaker, 3)
    assert breaker.closed
    clock.now += 5
    fail(breaker, 1)
    assert not breaker.closed


def test_one_call_tries_and_its_end_decides(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    clock.now += 5
    assert breaker.admit() is Admission.TRIAL
    assert [breaker.admit() for _ in range(3)] == [Admission.REFUSED] * 3
    breaker.note(Admission.TRIAL, Verdict.FAILING)
    assert breaker.admit() is Admission.REFUSED
    clock.now += 5
    assert call(breaker, Verdict.ALIVE) is Admission.TRIAL
    assert breaker.closed
    fail(breaker, 3)  # it begins anew
    assert breaker.closed


def test_a_trial_that_says_nothing_leaves_its_place(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    clock.now += 5
    assert call(breaker, Verdict.NONE) is Admission.TRIAL
    assert breaker.admit() is Admission.TRIAL


def test_a_call_from_before_decides_nothing(breaker: Breaker, clock: Clock) -> None:
    earlier = breaker.admit()
    fail(breaker, 4)
    breaker.note(earlier, Verdict.ALIVE)
    assert not breaker.closed
    clock.now += 5
    trial = breaker.admit()
    breaker.note(earlier, Verdict.FAILING)
    breaker.note(trial, Verdict.ALIVE)
    assert breaker.closed


def test_what_says_nothing_is_not_counted(breaker: Breaker) -> None:
    for _ in range(20):
        call(breaker, Verdict.NONE)
    fail(breaker, 3)
    assert breaker.closed


def test_a_hurried_caller_leaves_the_trial_to_others_for_a_while(
    breaker: Breaker, clock: Clock
) -> None:
    for _ in range(RULES.calls):
        breaker.note(breaker.admit(), Verdict.FAILING)
    clock.now += RULES.open_seconds
    assert breaker.admit(patient=False) is Admission.REFUSED
    assert breaker.tries_next
    clock.now += RULES.open_seconds  # nobody patient came
    trial = breaker.admit(patient=False)
    assert trial is Admission.TRIAL
    breaker.note(trial, Verdict.ALIVE)
    assert breaker.closed
