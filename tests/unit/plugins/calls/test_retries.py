"""How long to wait, and how often one may come again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from impl.plugins.calls.retries import (
    MOST_BACKOFF_SECONDS,
    MOST_SAVED,
    RESERVE,
    RetryBudget,
    backoff,
    seconds_asked_for,
)

NOW = datetime(2026, 11, 27, 10, tzinfo=UTC)
DATE = {"Date": format_datetime(NOW, usegmt=True)}


def in_seconds(seconds: int) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 3 ", 3.0),
        ("9" * 30, float("inf")),
        (in_seconds(7), 7.0),
        (in_seconds(-7), 0.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("Fri, 99 Nov 2026 10:00:00 GMT", None),
        ("Fri, 27 Nov 99999 10:00:00 GMT", None),
    ],
)
def test_what_retry_after_says(value: str, seconds: float | None) -> None:
    assert seconds_asked_for({**DATE, "Retry-After": value}) == seconds


def test_without_its_own_date_our_clock_counts() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=100)
    asked = seconds_asked_for({"Retry-After": format_datetime(moment, usegmt=True)})
    assert asked is not None
    assert 90 < asked <= 100


def test_the_wait_is_anywhere_below_a_growing_limit() -> None:
    for attempt, most in ((0, 0.1), (1, 0.2), (3, 0.8), (9, MOST_BACKOFF_SECONDS)):
        waits = [backoff(attempt) for _ in range(500)]
        assert 0 <= min(waits) < most / 4
        assert most * 3 / 4 < max(waits) <= most


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(budget: RetryBudget) -> int:
    count = 0
    while budget.take():
        count += 1
    return count


def test_retries_are_a_share_of_the_calls() -> None:
    budget = RetryBudget(0.2, Clock())
    assert taken(budget) == RESERVE  # a quiet plugin has some
    for _ in range(10):
        budget.earn()
    assert taken(budget) == 2
    retries = 0
    for _ in range(1000):
        budget.earn()
        retries += budget.take()
    assert retries == 200


def test_what_is_saved_has_a_limit() -> None:
    budget = RetryBudget(0.2, Clock())
    for _ in range(10_000):
        budget.earn()
    assert taken(budget) == MOST_SAVED


def test_the_reserve_comes_back_slowly() -> None:
    clock = Clock()
    budget = RetryBudget(0.2, clock)
    taken(budget)
    clock.now += 9
    assert taken(budget) == 0
    clock.now += 2
    assert taken(budget) == 1
    clock.now += 1000
    assert taken(budget) == RESERVE


def test_a_share_of_nothing_is_no_retry() -> None:
    assert not RetryBudget(0, Clock()).take()
