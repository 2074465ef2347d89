"""What is Redis' own: one round trip, keys that expire, and what it may have lost."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.exceptions import RedisError

from generated.runtime.limits import Charge, Limit
from impl.ratelimit.shared import FILLED, SharedLimiter, own_limit_key
from tests.patience import PATIENT_SECONDS


@pytest_asyncio.fixture(autouse=True)
async def nothing_is_lost(redis: Redis) -> None:
    await redis.set(FILLED, 0)


def both(quota: int = 10, window: int = 60) -> list[Charge]:
    return [
        Charge(Limit("bot", quota, window), uuid4()),
        Charge(Limit("user", quota, window), uuid4()),
    ]


async def test_a_request_is_one_command(redis: Redis) -> None:
    limiter, charges = SharedLimiter(redis, PATIENT_SECONDS), both()
    await limiter.charge(charges)
    await redis.config_resetstat()
    for _ in range(5):
        await limiter.charge(charges)
    stats = await redis.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 5
    assert not {"cmdstat_eval", "cmdstat_script|load"} & set(stats)


async def test_a_server_that_forgot_the_script_is_taught(redis: Redis) -> None:
    limiter = SharedLimiter(redis, PATIENT_SECONDS)
    await redis.script_flush()
    for _ in range(2):
        verdict = await limiter.charge(both())
        assert verdict is not None
        assert not verdict.retry_after


async def test_a_bucket_expires_when_it_is_empty(redis: Redis) -> None:
    charges = both(quota=10, window=36_000)
    await SharedLimiter(redis, PATIENT_SECONDS).charge(charges)
    for each in charges:
        left = await redis.pttl(f"{own_limit_key(each.limit.partition, each.subject_id)}:bucket")
        assert 3_500_000 < left <= 3_600_000


async def test_without_the_marker_nothing_is_charged(redis: Redis) -> None:
    charges = both()
    await redis.delete(FILLED)
    assert await SharedLimiter(redis, PATIENT_SECONDS).charge(charges) is None
    await redis.set(FILLED, 0)
    verdict = await SharedLimiter(redis, PATIENT_SECONDS).charge(charges)
    assert verdict is not None
    assert [standing.remaining for standing in verdict.standings] == [9, 9]


@pytest.mark.parametrize(
    "fields",
    [
        {"quota": "many", "window": "60"},
        {"quota": "0", "window": "60"},
        {"quota": "-1", "window": "60"},
        {"quota": "1.5", "window": "60"},
        {"quota": "1000001", "window": "60"},
        {"quota": "nan", "window": "60"},
        {"quota": "5", "window": "86401"},
        {"quota": "5"},
        {"version": "3"},
    ],
)
async def test_a_limit_that_makes_no_sense_is_none(redis: Redis, fields: dict[str, str]) -> None:
    charges = both(quota=10, window=60)[:1]
    await redis.hset(own_limit_key("bot", charges[0].subject_id), mapping=dict[Any, Any](fields))
    verdict = await SharedLimiter(redis, PATIENT_SECONDS).charge(charges)
    assert verdict is not None
    assert (verdict.standings[0].quota, verdict.standings[0].window) == (10, 60)


async def test_a_mistake_keeps_nobody_waiting(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("a mistake")

    limiter = SharedLimiter(redis, 0.25)
    monkeypatch.setattr(redis, "pipeline", fail)
    async with asyncio.timeout(PATIENT_SECONDS):
        with pytest.raises(RedisError, match="a mistake"):
            await limiter.charge(both())


async def test_keys_of_other_types_are_no_errors(redis: Redis) -> None:
    charges = both()
    for each in charges:
        key = own_limit_key(each.limit.partition, each.subject_id)
        await redis.set(key, "nonsense")
        await redis.hset(f"{key}:bucket", "quota", "1")
    verdict = await SharedLimiter(redis, PATIENT_SECONDS).charge(charges)
    assert verdict is not None
    assert [standing.remaining for standing in verdict.standings] == [9, 9]


async def test_a_clock_that_went_back_locks_nobody_out(redis: Redis) -> None:
    charges = both(quota=2, window=1)[:1]
    key = own_limit_key("bot", charges[0].subject_id)
    seconds, _ = await redis.time()
    await redis.set(f"{key}:bucket", f"1000:{(seconds + 3600) * 1000}")
    verdict = await SharedLimiter(redis, PATIENT_SECONDS).charge(charges)
    assert verdict is not None
    assert not verdict.retry_after
    _, at = str(await redis.get(f"{key}:bucket")).split(":")
    assert int(at) < (seconds + 10) * 1000
