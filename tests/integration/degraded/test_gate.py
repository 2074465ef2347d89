"""One gate for all of a process's uses of Redis: who finds it away waits once, nobody twice."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from structlog.testing import capture_logs

from impl.degraded.gate import PROBE, Gate, RedisAwayError
from impl.redis import UNREACHABLE, patient_client
from tests.patience import PATIENT_SECONDS
from tests.redis_faults import AWAY, FAULTS, Server
from tests.wire import Line

TIMEOUT = 0.25


@asynccontextmanager
async def waiting(line: Line, seconds: float) -> AsyncIterator[Gate]:
    client = patient_client(line.url, seconds)
    yield Gate(client, seconds)
    await client.aclose()


@pytest_asyncio.fixture
async def gate(line: Line, redis: Redis) -> AsyncIterator[Gate]:
    async with waiting(line, TIMEOUT) as made:
        yield made


@pytest_asyncio.fixture
async def patient(line: Line, redis: Redis) -> AsyncIterator[Gate]:
    """For where Redis is there or refuses: a turn of a busy machine takes longer than TIMEOUT."""
    async with waiting(line, PATIENT_SECONDS) as made:
        yield made


async def asked(gate: Gate) -> Exception | None:
    try:
        await gate.ask(gate.redis.ping)
    except UNREACHABLE as error:
        return error
    return None


async def until_back(gate: Gate) -> None:
    async with asyncio.timeout(PATIENT_SECONDS):
        while not await gate.look():
            pass


async def until_answered(gate: Gate) -> None:
    async with asyncio.timeout(PATIENT_SECONDS):
        while await asked(gate) is not None:
            await gate.look()


async def pings(redis: Any) -> int:
    stats = await redis.info("commandstats")
    return int(stats.get("cmdstat_ping", {"calls": 0})["calls"])


async def test_all_who_find_it_hanging_wait_once(gate: Gate, line: Line, redis: Redis) -> None:
    await until_answered(gate)
    line.stall()
    began = time.perf_counter()
    found = await asyncio.gather(*(asked(gate) for _ in range(50)))
    assert None not in found
    assert time.perf_counter() - began < 50 * TIMEOUT / 2, "they waited one after another"
    line.cut()  # what was asked is lost
    line.mend()
    before = await pings(redis)
    assert {type(await asked(gate)) for _ in range(50)} == {RedisAwayError}
    assert await pings(redis) == before, "somebody asked"


async def test_to_connect_and_to_log_in_take_no_timeout_of_their_own(
    gate: Gate, line: Line
) -> None:
    """Each of the round trips is quick enough, all of them are not."""
    line.slow(TIMEOUT * 0.6)
    assert await asked(gate) is not None


@pytest.mark.parametrize("fault", AWAY)
async def test_a_look_finds_it_away_and_back(
    fault: str, gate: Gate, line: Line, redis: Redis
) -> None:
    with capture_logs() as logs:
        async with FAULTS[fault](Server(line, redis)):
            for _ in range(3):
                assert not await gate.look()
            assert type(await asked(gate)) is RedisAwayError
        await until_back(gate)
    await until_answered(gate)
    told = [(entry["event"], entry["log_level"]) for entry in logs]
    assert told == [("redis_away", "warning"), ("redis_back", "info")]


async def test_what_a_look_writes_expires(patient: Gate, redis: Redis) -> None:
    assert await patient.look()
    assert 0 < await redis.ttl(PROBE) <= 60


async def test_a_check_changes_nothing_for_others(patient: Gate, line: Line) -> None:
    line.cut()
    with pytest.raises(UNREACHABLE):
        await patient.check()
    assert not patient.away
    await patient.look()
    line.mend()
    await patient.check()
    assert patient.away
