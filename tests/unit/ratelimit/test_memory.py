"""The limiter in memory, with a clock of the test's own."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from generated.runtime.limits import Charge, Limit
from impl.ratelimit.memory import MemoryLimiter


@dataclass
class Clock:
    seconds: float = 1000.0

    def __call__(self) -> int:
        return int(self.seconds * 1e9)


def charge(quota: int, window: int, subject: UUID | None = None) -> Charge:
    return Charge(Limit("bot", quota, window), subject or uuid4())


async def permitted(limiter: MemoryLimiter, one: Charge, tries: int) -> int:
    return sum([not (await limiter.charge([one])).retry_after for _ in range(tries)])


async def test_over_a_long_time_the_rate_is_the_quota_to_the_last_one() -> None:
    clock = Clock()
    limiter, one = MemoryLimiter(clock=clock), charge(7, 3)
    total = 0
    for _ in range(3000):
        total += await permitted(limiter, one, 3)
        clock.seconds += 0.01
    assert total == 7 + 7 * 10 - 1  # the burst, and what came back in 29.99 s


async def test_retry_after_is_when_one_is_permitted() -> None:
    clock = Clock()
    limiter, one = MemoryLimiter(clock=clock), charge(2, 7)
    await permitted(limiter, one, 2)
    wait = (await limiter.charge([one])).retry_after
    assert wait == 4
    clock.seconds += 3.49
    assert await permitted(limiter, one, 1) == 0
    clock.seconds += 0.01
    assert await permitted(limiter, one, 1) == 1


async def test_after_reset_the_quota_is_whole() -> None:
    clock = Clock()
    limiter, one = MemoryLimiter(clock=clock), charge(5, 60)
    await permitted(limiter, one, 5)
    clock.seconds += (await limiter.charge([one])).standings[0].reset
    assert await permitted(limiter, one, 6) == 5


async def test_it_forgets_who_was_here_longest_ago() -> None:
    limiter = MemoryLimiter(most=2, clock=Clock())
    first, second, third = (charge(1, 60) for _ in range(3))
    for one in (first, second, third):
        assert await permitted(limiter, one, 1) == 1
    assert await permitted(limiter, third, 1) == 0
    assert await permitted(limiter, second, 1) == 0
    assert await permitted(limiter, first, 1) == 1
