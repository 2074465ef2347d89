"""One gate for all of a process's uses of Redis: who finds it away waits once, nobody twice."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from structlog.testing import capture_logs

from impl.degraded.gate import PROBE, Gate, RedisAwayError
from impl.redis import UNREACHABLE, request_client
from impl.settings import Settings
from tests.redis_faults import AWAY, FAULTS, Server
from tests.wire import Line

TIMEOUT = 0.25


@pytest_asyncio.fixture
async def gate(settings: Settings, redis: Redis) -> AsyncIterator[Gate]:
    client = request_client(settings)
    yield Gate(client, TIMEOUT)
    await client.aclose()


async def asked(gate: Gate) -> Exception | None:
    try:
        await gate.ask(gate.redis.ping)
    except UNREACHABLE as error:
        return error
    return None


async def pings(redis: Any) -> int:
    stats = await redis.info("commandstats")
    return int(stats.get("cmdstat_ping", {"calls": 0})["calls"])


async def test_all_who_find_it_hanging_wait_once(gate: Gate, line: Line, redis: Redis) -> None:
    assert await asked(gate) is None
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
        assert await gate.look()
        assert await asked(gate) is None
    told = [(entry["event"], entry["log_level"]) for entry in logs]
    assert told == [("redis_away", "warning"), ("redis_back", "info")]


async def test_what_a_look_writes_expires(gate: Gate, redis: Redis) -> None:
    assert await gate.look()
    assert 0 < await redis.ttl(PROBE) <= 60


async def test_a_check_changes_nothing_for_others(gate: Gate, line: Line) -> None:
    line.cut()
    with pytest.raises(UNREACHABLE):
        await gate.check()
    assert not gate.away
    await gate.look()
    line.mend()
    await gate.check()
    assert gate.away
