"""The API's limiter, with Redis there, emptied, hanging and gone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis
from structlog.testing import capture_logs

from generated.runtime.limits import Charge, Limit, Verdict
from impl.db import open_pool
from impl.degraded.gate import Gate
from impl.ratelimit.limiter import RateLimiter
from impl.ratelimit.shared import FILLED, own_limit_key
from impl.redis import UNREACHABLE, request_client
from tests.patience import PATIENT_SECONDS
from tests.stack import settings_for
from tests.wire import Line, line_before, proxy_before

HASTY_SECONDS = 3.0  # of who finds Redis hanging


@pytest_asyncio.fixture
async def line(redis_url: str) -> AsyncIterator[Line]:
    async with line_before(redis_url) as running:
        yield running


@asynccontextmanager
async def limiting(
    database: str, redis_url: str, seconds: float = PATIENT_SECONDS, share: float = 1.0
) -> AsyncIterator[RateLimiter]:
    settings = settings_for(database, redis_url)
    pool, client = await open_pool(settings), request_client(settings)
    limiter = RateLimiter(pool, Gate(client, seconds), share)
    try:
        yield limiter
    finally:
        await limiter.close()
        await client.aclose()
        pool.terminate()


@pytest_asyncio.fixture
async def limiter(database: str, redis: Redis, line: Line) -> AsyncIterator[RateLimiter]:
    async with limiting(database, line.url) as running:
        yield running


@asynccontextmanager
async def watched(limiter: RateLimiter) -> AsyncIterator[None]:
    task = asyncio.create_task(limiter.watch(0.02))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until_alone(limiter: RateLimiter, alone: bool) -> None:
    async with asyncio.timeout(PATIENT_SECONDS):
        while limiter.alone is not alone:  # noqa: ASYNC110  # nothing to wait on but itself
            await asyncio.sleep(0.005)


async def set_limit(pool: asyncpg.Pool, subject: UUID, quota: int | None, version: int = 1) -> None:
    """As an operator's change that died before it reached Redis."""
    await pool.execute(
        """INSERT INTO rate_limits (partition, subject_id, quota, window_seconds, version)
           VALUES ('bot', $1, $2, $3, $4)
           ON CONFLICT (partition, subject_id) DO UPDATE
           SET quota = excluded.quota, window_seconds = excluded.window_seconds,
               version = excluded.version""",
        subject,
        quota,
        None if quota is None else 3600,
        version,
    )


def charge(subject: UUID, quota: int = 10) -> Charge:
    return Charge(Limit("bot", quota, 3600), subject)


async def quota_of(limiter: RateLimiter, subject: UUID) -> int:
    return (await limiter.charge([charge(subject)])).standings[0].quota


async def permitted(limiter: RateLimiter, one: Charge, tries: int) -> int:
    verdicts = await asyncio.gather(*(limiter.charge([one]) for _ in range(tries)))
    return sum(not verdict.retry_after for verdict in verdicts)


async def test_the_first_request_finds_its_own_limit(
    limiter: RateLimiter, pool: asyncpg.Pool, redis: Redis
) -> None:
    subject = uuid4()
    await set_limit(pool, subject, 3)
    assert await permitted(limiter, charge(subject), 5) == 3
    assert await redis.exists(f"{own_limit_key('bot', subject)}:bucket"), "not counted in Redis"
    assert not limiter.alone


async def test_many_at_once_are_counted_exactly_by_several_instances(
    limiter: RateLimiter, database: str, redis_url: str
) -> None:
    one = charge(uuid4(), quota=10)
    async with limiting(database, redis_url) as other:
        await asyncio.gather(limiter.agree(), other.agree())
        found = await asyncio.gather(permitted(limiter, one, 200), permitted(other, one, 200))
        assert sum(found) == 10
        assert not limiter.alone
        assert not other.alone


async def test_an_emptied_redis_is_filled_and_asked_again(
    limiter: RateLimiter, pool: asyncpg.Pool, redis: Redis
) -> None:
    subjects = [uuid4() for _ in range(40)]
    for number, subject in enumerate(subjects):
        await set_limit(pool, subject, 3, number + 1)
    assert await quota_of(limiter, subjects[0]) == 3
    await redis.flushdb()
    assert await permitted(limiter, charge(subjects[-1]), 5) == 3
    assert await redis.get(FILLED) == "40"
    assert await redis.exists(*(own_limit_key("bot", subject) for subject in subjects)) == 40
    assert not limiter.alone


async def test_all_who_find_it_empty_cost_one_query(
    database: str, redis: Redis, redis_url: str
) -> None:
    async with proxy_before(database) as proxy, limiting(proxy.dsn, redis_url) as limiter:
        await limiter.agree()
        await redis.flushdb()
        before = proxy.round_trips
        assert await permitted(limiter, charge(uuid4()), 50) == 10
        assert proxy.round_trips - before == 1


async def test_while_redis_is_gone_each_instance_counts_alone(
    limiter: RateLimiter, pool: asyncpg.Pool, line: Line
) -> None:
    subject = uuid4()
    await set_limit(pool, subject, 3)
    await limiter.agree()
    line.cut()
    with capture_logs() as logs:
        assert await permitted(limiter, charge(subject), 5) == 3
        assert await permitted(limiter, charge(uuid4()), 20) == 10
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [
        ("redis_away", "warning"),
        ("limits_alone", "warning"),
    ]


async def test_it_says_once_that_redis_is_gone_and_once_that_it_is_back(
    limiter: RateLimiter, line: Line, redis: Redis
) -> None:
    with capture_logs() as logs:
        async with watched(limiter):
            await limiter.charge([charge(uuid4())])
            line.cut()
            await until_alone(limiter, True)
            await asyncio.sleep(0.1)  # several looks, each of which fails
            subject = uuid4()
            await limiter.charge([charge(subject)])
            line.mend()
            await until_alone(limiter, False)
            await limiter.charge([charge(subject)])
    told = [entry["event"] for entry in logs if entry["event"] != "limits_filled"]
    assert told == ["redis_away", "limits_alone", "redis_back", "limits_shared"]
    assert await redis.exists(f"{own_limit_key('bot', subject)}:bucket")


async def test_who_finds_redis_hanging_waits_once(
    database: str, redis: Redis, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with limiting(database, line.url, HASTY_SECONDS) as limiter:
        await limiter.agree()
        await limiter.charge([charge(uuid4())])
        line.stall()
        ask, hung = limiter._shared.charge, asyncio.Event()

        async def asked(charges: Sequence[Charge]) -> Verdict | None:
            if hung.is_set():
                pytest.fail("it asked again")
            try:
                return await ask(charges)
            except UNREACHABLE:
                hung.set()
                raise

        monkeypatch.setattr(limiter._shared, "charge", asked)
        async with asyncio.timeout(PATIENT_SECONDS):
            assert await permitted(limiter, charge(uuid4()), 300) == 10
        assert hung.is_set()
        assert limiter.alone
        assert await permitted(limiter, charge(uuid4()), 100) == 10


async def test_a_filling_that_takes_long_holds_nobody_up(database: str, redis_url: str) -> None:
    async with (
        proxy_before(database) as proxy,
        limiting(proxy.dsn, redis_url, HASTY_SECONDS) as limiter,
    ):
        async with Redis.from_url(redis_url) as redis:
            await redis.flushdb()
        proxy.stall()
        async with asyncio.timeout(PATIENT_SECONDS / 2):  # half of what the database is given
            assert await permitted(limiter, charge(uuid4()), 30) == 10


async def test_alone_each_instance_permits_its_share(
    database: str, pool: asyncpg.Pool, line: Line, redis: Redis
) -> None:
    subject = uuid4()
    await set_limit(pool, subject, 3)
    async with limiting(database, line.url, share=0.5) as limiter:
        await limiter.agree()
        assert await permitted(limiter, charge(uuid4()), 20) == 10
        line.cut()
        assert await permitted(limiter, charge(uuid4()), 20) == 5
        assert await permitted(limiter, charge(subject), 20) == 1
        assert await permitted(limiter, charge(uuid4(), quota=1), 20) == 1, "never none at all"


async def test_a_limit_that_is_set_while_redis_is_away_holds_in_every_instance(
    limiter: RateLimiter, pool: asyncpg.Pool, line: Line
) -> None:
    subject = uuid4()
    line.cut()
    async with watched(limiter):
        await until_alone(limiter, True)
        await set_limit(pool, subject, 3)
        async with asyncio.timeout(PATIENT_SECONDS):
            while await quota_of(limiter, subject) != 3:  # noqa: ASYNC110  # no event tells of it
                await asyncio.sleep(0.01)


async def test_what_the_database_does_not_give_is_no_fault_of_redis(
    database: str, redis_url: str, redis: Redis
) -> None:
    async with proxy_before(database) as proxy, limiting(proxy.dsn, redis_url) as limiter:
        proxy.cut()
        async with watched(limiter):
            await until_alone(limiter, True)
            assert await permitted(limiter, charge(uuid4()), 20) == 10
            assert not limiter._gate.away
            proxy.mend()
            await until_alone(limiter, False)


async def test_with_both_away_the_contracts_defaults_hold(database: str, redis_url: str) -> None:
    async with (
        proxy_before(database) as proxy,
        line_before(redis_url) as line,
        limiting(proxy.dsn, line.url) as limiter,
    ):
        proxy.cut()
        line.cut()
        async with watched(limiter):
            await until_alone(limiter, True)
            assert await permitted(limiter, charge(uuid4()), 20) == 10


async def test_a_redis_that_was_emptied_while_the_database_is_away_is_filled_from_memory(
    database: str, pool: asyncpg.Pool, redis: Redis, redis_url: str
) -> None:
    subject = uuid4()
    await set_limit(pool, subject, 3)
    async with proxy_before(database) as proxy, limiting(proxy.dsn, redis_url) as limiter:
        await limiter.agree()
        proxy.cut()
        await redis.flushdb()
        assert await permitted(limiter, charge(subject), 5) == 3
        assert not limiter.alone
        assert await redis.hget(own_limit_key("bot", subject), "quota") == "3"


async def test_a_script_that_redis_refuses_is_no_error(limiter: RateLimiter, redis: Redis) -> None:
    await redis.config_set("min-replicas-to-write", 1)  # it has none, and so refuses to write
    try:
        async with watched(limiter):
            await until_alone(limiter, True)
        assert await permitted(limiter, charge(uuid4()), 20) == 10
    finally:
        await redis.config_set("min-replicas-to-write", 0)


@pytest.mark.parametrize("quota", [4, None])
async def test_a_change_that_never_reached_redis_does_so_soon(
    limiter: RateLimiter, pool: asyncpg.Pool, quota: int | None
) -> None:
    subject = uuid4()
    await set_limit(pool, subject, 3)
    async with watched(limiter):
        assert await quota_of(limiter, subject) == 3
        await set_limit(pool, subject, quota, 2)
        async with asyncio.timeout(PATIENT_SECONDS):
            while await quota_of(limiter, subject) != (quota or 10):  # noqa: ASYNC110  # no event tells of it
                await asyncio.sleep(0.01)
