"""Who failed too often, for how long, and who does not suffer for it."""

import pytest

from impl.tokens.throttle import SECONDS, Throttle

HERE, THERE = "198.51.100.7", "203.0.113.9"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fail(throttle: Throttle, times: int, token_id: str = "id", address: str = HERE) -> None:
    for _ in range(times):
        assert not throttle.refuses(token_id, address)
        throttle.failed(token_id, address)


def test_an_id_is_refused_to_who_failed_with_it_and_to_nobody_else(clock: Clock) -> None:
    throttle = Throttle(per_id=3, per_address=10, clock=clock)
    fail(throttle, 3)
    assert throttle.refuses("id", HERE)
    assert not throttle.refuses("id", THERE), "who knows an id locks its holder out"
    assert not throttle.refuses("other", HERE)


def test_an_address_is_refused_whatever_the_id(clock: Clock) -> None:
    throttle = Throttle(per_id=3, per_address=10, clock=clock)
    for number in range(10):
        fail(throttle, 1, f"id-{number}")
    assert throttle.refuses("fresh", HERE)
    assert not throttle.refuses("fresh", THERE)


def test_it_is_forgotten_by_and_by(clock: Clock) -> None:
    throttle = Throttle(per_id=3, per_address=100, clock=clock)
    fail(throttle, 3)
    clock.now = SECONDS / 3 - 0.1
    assert throttle.refuses("id", HERE)
    clock.now = SECONDS / 3 + 0.1
    fail(throttle, 1)
    assert throttle.refuses("id", HERE)
    clock.now += SECONDS + 0.1
    fail(throttle, 3)


def test_an_address_that_is_not_known_is_nobodys(clock: Clock) -> None:
    throttle = Throttle(per_id=3, per_address=1, clock=clock)
    fail(throttle, 2, address="")
    fail(throttle, 3, "other", address="")
    assert throttle.refuses("other", "")


def test_its_memory_has_a_bound_and_keeps_who_fails_now(clock: Clock) -> None:
    throttle = Throttle(per_id=2, per_address=2, max_keys=100, clock=clock)
    fail(throttle, 2)
    for number in range(99):
        fail(throttle, 1, f"id-{number}", f"192.0.2.{number}")
    assert throttle.refuses("id", HERE)
    fail(throttle, 1, "one-more", THERE)
    assert not throttle.refuses("id", HERE)
    assert len(throttle._of_ids._levels) == len(throttle._of_addresses._levels) == 100
