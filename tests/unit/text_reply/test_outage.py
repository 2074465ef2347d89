"""An outage is told once, and a model that comes and goes not each time."""

import pytest

from impl.text_reply.outage import APART_SECONDS, Outage


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def outage(clock: Clock, told: list[str]) -> Outage:
    return Outage(told.append, clock)


def test_the_first_failure_is_told_and_the_others_are_not(
    outage: Outage, clock: Clock, told: list[str]
) -> None:
    for reason in ("timeout", "status_500", "timeout"):
        outage.failed(reason)
        clock.now += 2 * APART_SECONDS
    assert told == ["timeout"]


def test_the_next_outage_is_told(outage: Outage, clock: Clock, told: list[str]) -> None:
    outage.failed("timeout")
    outage.answered()
    clock.now = APART_SECONDS
    outage.failed("status_500")
    assert told == ["timeout", "status_500"]


def test_a_model_that_comes_and_goes_is_one_outage(
    outage: Outage, clock: Clock, told: list[str]
) -> None:
    for _ in range(10):
        outage.failed("timeout")
        outage.answered()
        clock.now += 1
    assert told == ["timeout"]
    clock.now = APART_SECONDS
    outage.failed("timeout")
    assert len(told) == 2


def test_a_good_answer_alone_tells_nothing(outage: Outage, told: list[str]) -> None:
    outage.answered()
    assert told == []
