"""What every limiter does: the one in Redis and the one in memory keep the same promises."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from generated.runtime.limits import Charge, Limit, Limiter, Partition, Standing, Verdict
from impl.ratelimit.memory import MemoryLimiter
from impl.ratelimit.shared import FILLED, SharedLimiter, own_limit_key
from tests.patience import PATIENT_SECONDS, uninterrupted


class Filled:
    """The shared limiter of a Redis that has all own limits."""

    def __init__(self, redis: Redis) -> None:
        self._shared = SharedLimiter(redis, PATIENT_SECONDS)

    async def charge(self, charges: Sequence[Charge]) -> Verdict:
        verdict = await self._shared.charge(charges)
        assert verdict is not None
        return verdict


OWN = {("bot", UUID(int=1)): (3, 60)}


@pytest_asyncio.fixture(autouse=True)
async def nothing_is_lost(redis: Redis) -> None:
    await redis.set(FILLED, 0)


@pytest_asyncio.fixture(params=["memory", "shared"])
async def limiter(request: pytest.FixtureRequest, redis: Redis) -> Limiter:
    if request.param == "memory":
        return MemoryLimiter(lambda partition, subject: OWN.get((partition, subject)))
    for (partition, subject), (quota, window) in OWN.items():
        key = own_limit_key(partition, subject)  # type: ignore[arg-type]  # a key of OWN is a text to mypy
        await redis.delete(f"{key}:bucket")
        await redis.hset(key, mapping={"quota": quota, "window": window})
    return Filled(redis)


def charge(
    quota: int, window: int, partition: Partition = "bot", subject: UUID | None = None
) -> Charge:
    return Charge(Limit(partition, quota, window), subject or uuid4())


async def test_a_quota_permits_so_many_and_no_more(limiter: Limiter) -> None:
    async def thrice() -> list[Verdict]:
        one = charge(2, 60)
        return [await limiter.charge([one]) for _ in range(3)]

    verdicts = await uninterrupted(thrice, 1)
    assert [verdict.retry_after for verdict in verdicts] == [0, 0, 30]
    assert [verdict.standings[0].remaining for verdict in verdicts] == [1, 0, 0]
    assert verdicts[0].standings == [Standing("bot", 2, 60, remaining=1, reset=30)]
    assert verdicts[2].standings == [Standing("bot", 2, 60, remaining=0, reset=60)]


async def test_what_was_used_comes_back_one_by_one(limiter: Limiter) -> None:
    async def with_a_pause() -> list[int]:
        """A quarter of a second brings one back, half a second two."""
        one = charge(4, 1)
        before = [(await limiter.charge([one])).retry_after for _ in range(5)]
        await asyncio.sleep(0.3)
        return before + [(await limiter.charge([one])).retry_after for _ in range(2)]

    assert await uninterrupted(with_a_pause, 0.48) == [0, 0, 0, 0, 1, 0, 1]


async def test_a_refused_request_costs_nothing(limiter: Limiter) -> None:
    async def eager() -> tuple[Charge, Verdict]:
        one = charge(2, 1)
        return one, [await limiter.charge([one]) for _ in range(20)][-1]

    one, last = await uninterrupted(eager, 0.45)  # half a second brings one back
    assert last.retry_after == 1
    await asyncio.sleep(0.55)
    assert not (await limiter.charge([one])).retry_after


async def test_a_lowered_quota_holds_nobody_up_for_what_was_used_before(limiter: Limiter) -> None:
    async def lowered() -> tuple[Charge, list[int]]:
        one = uuid4()
        for _ in range(20):  # which take four seconds to come back
            assert not (await limiter.charge([charge(300, 60, subject=one)])).retry_after
        small = charge(1, 1, subject=one)
        return small, [(await limiter.charge([small])).retry_after for _ in range(2)]

    small, refused = await uninterrupted(lowered, 1)
    assert refused == [1, 1]
    await asyncio.sleep(1.05)
    assert not (await limiter.charge([small])).retry_after


async def test_all_partitions_are_charged_or_none(limiter: Limiter) -> None:
    async def twice() -> tuple[Charge, Verdict]:
        bot, user = charge(10, 60), charge(1, 60, "user")
        assert not (await limiter.charge([bot, user])).retry_after
        return bot, await limiter.charge([bot, user])

    bot, refused = await uninterrupted(twice, 1)
    assert refused.retry_after == 60
    assert refused.standings == [
        Standing("bot", 10, 60, remaining=9, reset=6),
        Standing("user", 1, 60, remaining=0, reset=60),
    ]
    assert (await limiter.charge([bot])).standings[0].remaining == 8


async def test_the_longest_wait_is_told(limiter: Limiter) -> None:
    async def twice() -> list[int]:
        bot, user = charge(1, 5), charge(1, 60, "user")
        return [(await limiter.charge([bot, user])).retry_after for _ in range(2)]

    assert await uninterrupted(twice, 1) == [0, 60]


async def test_each_subject_and_partition_counts_by_itself(limiter: Limiter) -> None:
    subject = uuid4()
    for one in (charge(1, 60), charge(1, 60, subject=subject), charge(1, 60, "user", subject)):
        assert not (await limiter.charge([one])).retry_after
        assert (await limiter.charge([one])).retry_after


@pytest.mark.parametrize("quota", [1, 3, 7, 10, 97])
async def test_a_hundred_at_once_on_a_quota_are_the_quota(limiter: Limiter, quota: int) -> None:
    one = charge(quota, 3600)
    verdicts = await asyncio.gather(*(limiter.charge([one]) for _ in range(100)))
    assert sum(not verdict.retry_after for verdict in verdicts) == quota


async def test_the_largest_limit_is_counted_to_the_last_one(limiter: Limiter) -> None:
    one = charge(1_000_000, 86_400)
    left = [(await limiter.charge([one])).standings[0].remaining for _ in range(3)]
    assert left == [999_999, 999_998, 999_997]


async def test_an_own_limit_replaces_the_contracts(limiter: Limiter) -> None:
    one = charge(1, 1, subject=UUID(int=1))
    verdicts = [await limiter.charge([one]) for _ in range(4)]
    assert [verdict.retry_after for verdict in verdicts[:3]] == [0, 0, 0]
    assert 1 < verdicts[3].retry_after <= 20, "not the contract's second"
    assert verdicts[0].standings[0].quota == 3
    assert verdicts[0].standings[0].window == 60


async def test_a_lower_limit_locks_out_for_its_own_window_at_most(limiter: Limiter) -> None:
    subject = uuid4()
    for _ in range(50):
        await limiter.charge([charge(50, 3600, subject=subject)])
    assert (await limiter.charge([charge(2, 1, subject=subject)])).retry_after == 1


async def test_a_higher_limit_helps_at_once(limiter: Limiter) -> None:
    subject = uuid4()
    for _ in range(2):
        await limiter.charge([charge(2, 60, subject=subject)])
    assert (await limiter.charge([charge(2, 60, subject=subject)])).retry_after
    assert (await limiter.charge([charge(5, 60, subject=subject)])).standings[0].remaining == 2
