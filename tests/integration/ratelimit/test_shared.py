"""What is Redis' own: one round trip, keys that expire, and what it may have lost."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import uuid4

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from generated.runtime.limits import Charge, Limit, Verdict
from impl.ratelimit.connection import Connection
from impl.ratelimit.shared import FILLED, SharedLimiter, own_limit_key
from impl.redis import patient_client
from tests.patience import PATIENT_SECONDS
from tests.wire import Line, line_before


@pytest_asyncio.fixture(autouse=True)
async def nothing_is_lost(redis: Redis) -> None:
    await redis.set(FILLED, 0)


@pytest_asyncio.fixture
async def line(redis_url: str) -> AsyncIterator[Line]:
    async with line_before(redis_url) as running:
        yield running


@asynccontextmanager
async def connected(line: Line, timeout_seconds: float) -> AsyncIterator[SharedLimiter]:
    client = patient_client(line.url, PATIENT_SECONDS)
    limiter = SharedLimiter(client, timeout_seconds)
    assert await limiter.charge(both()) is not None
    yield limiter
    await limiter.close()
    await client.aclose()


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


async def test_a_server_that_hangs_is_waited_for_once_by_all(line: Line) -> None:
    async with connected(line, 0.25) as limiter:
        line.stall()
        async with asyncio.timeout(PATIENT_SECONDS):
            found = await asyncio.gather(
                *(limiter.charge(both()) for _ in range(20)), return_exceptions=True
            )
        assert {type(each) for each in found} == {RedisTimeoutError}
        line.mend()
        assert await limiter.charge(both()) is not None, "a new connection"


async def test_a_connection_that_is_lost_fails_those_who_wait(line: Line) -> None:
    async with connected(line, PATIENT_SECONDS) as limiter:
        line.stall()
        waiting = [asyncio.ensure_future(limiter.charge(both())) for _ in range(3)]
        await asyncio.sleep(0)  # all have asked
        line.cut()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(each) for each in found} == {RedisConnectionError}
        with pytest.raises(RedisError):
            await limiter.charge(both())
        line.mend()
        assert await limiter.charge(both()) is not None


async def test_an_answer_is_of_its_own_question(line: Line) -> None:
    """Who stopped waiting does not leave its answer to the one behind it."""
    async with connected(line, PATIENT_SECONDS) as limiter:
        line.stall()
        quotas = range(3, 9)
        asked = [asyncio.ensure_future(limiter.charge(both(quota))) for quota in quotas]
        await asyncio.sleep(0)
        asked[0].cancel()
        asked[3].cancel()
        line.mend()
        found = await asyncio.gather(*asked, return_exceptions=True)
        told = [each.standings[0].quota for each in found if isinstance(each, Verdict)]
        assert told == [4, 5, 7, 8]


async def test_whoever_comes_while_it_connects_takes_the_same_connection(line: Line) -> None:
    client = patient_client(line.url, PATIENT_SECONDS)
    limiter = SharedLimiter(client, PATIENT_SECONDS)
    asked = [asyncio.ensure_future(limiter.charge(both()))]
    while not asked[0].done():  # in each turn of the loop one more
        asked.append(asyncio.ensure_future(limiter.charge(both())))
        await asyncio.sleep(0)
    assert None not in await asyncio.gather(*asked)
    assert len(line.writers) == 2, "one connection has a writer on each side"
    await limiter.close()
    await client.aclose()


async def test_a_connection_that_is_idle_is_looked_at(line: Line) -> None:
    async with connected(line, 0.25) as limiter:
        line.stall()
        await limiter.look()
        line.mend()
        assert await limiter.charge(both()) is not None, "a new connection, and nobody waited"


async def test_a_loop_that_was_late_reads_what_is_here_first(redis: Redis) -> None:
    """uvloop, which serves, runs its timers before it reads what came meanwhile."""
    connection = await Connection.open(redis, 0.25)
    asked = connection.ask("PING")
    time.sleep(0.5)  # noqa: ASYNC251  # nothing runs meanwhile, and the answer comes
    connection._look()
    assert await asked == "PONG"
    connection.close()


async def test_an_error_of_redis_ends_the_connection(redis: Redis) -> None:
    """It may be read-only by now: the next charge finds the one that is not."""
    limiter = SharedLimiter(redis, PATIENT_SECONDS)
    assert await limiter.charge(both()) is not None
    wrong = Charge(Limit("bot", cast("int", "many"), 60), uuid4())
    before = limiter._connection
    with pytest.raises(ResponseError):
        await limiter.charge([wrong])
    assert before is not None
    assert before.closed
    assert await limiter.charge(both()) is not None


async def test_what_is_not_redis_ends_the_connection(redis: Redis) -> None:
    connection = await Connection.open(redis, PATIENT_SECONDS)
    answer = connection.ask("PING")
    connection.data_received(b"HTTP/1.1 400 Bad Request\r\n")
    with pytest.raises(RedisConnectionError, match="not the protocol"):
        await answer
    with pytest.raises(RedisConnectionError, match="closed"):
        await connection.ask("PING")


async def test_what_nobody_asked_for_is_nobodys_answer(redis: Redis) -> None:
    connection = await Connection.open(redis, PATIENT_SECONDS)
    answer = connection.ask("PING")
    connection.data_received(b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n")
    assert await answer == "PONG"
    connection.data_received(b"+too much\r\n")
    assert connection.closed


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
