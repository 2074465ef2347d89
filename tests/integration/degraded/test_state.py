"""When the core is degraded and when no more, by one row and the clock of the database."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest

from impl.degraded.queries import read
from impl.settings import Settings
from tests.integration.degraded.rows import (
    RULES,
    ago,
    degrade,
    event_waits,
    looked,
    payload,
    told,
)
from tests.patience import PATIENT_SECONDS
from tests.published import undeclared


async def test_redis_away_for_longer_than_the_bound_is_degraded_once(
    pool: asyncpg.Pool, settings: Settings
) -> None:
    await ago(pool, redis_seen_at=310)
    found = await asyncio.gather(*(looked(pool, redis=False) for _ in range(20)))
    assert sum(each.enters for each in found) == 1
    assert await told(pool) == ["core_degraded"]
    facts = await payload(pool, "core_degraded")
    assert facts["reason"] == "redis"
    assert 310 <= facts["seconds"] < 310 + PATIENT_SECONDS
    since = datetime.now(UTC) - datetime.fromisoformat(facts["since"])
    assert abs(since.total_seconds() - facts["seconds"]) < PATIENT_SECONDS
    assert facts["lag_seconds"] == 0
    assert await undeclared(pool, settings) == []


async def test_redis_away_for_less_is_not(pool: asyncpg.Pool) -> None:
    await ago(pool, redis_seen_at=240)
    assert not (await looked(pool, redis=False)).degraded


async def test_one_worker_that_reaches_redis_is_enough(pool: asyncpg.Pool) -> None:
    await ago(pool, redis_seen_at=310)
    assert not (await looked(pool, redis=True)).degraded
    assert not (await looked(pool, redis=False)).degraded


async def test_streams_that_stay_behind_are_degraded(
    pool: asyncpg.Pool, settings: Settings
) -> None:
    await event_waits(pool, 110)
    await ago(pool, redis_seen_at=0)
    assert not (await looked(pool, redis=True)).degraded, "it lasted for one look only"
    await ago(pool, late_since=10, redis_seen_at=0)
    found = await looked(pool, redis=True)
    assert (found.enters, found.reason) == (True, "lag")
    facts = await payload(pool, "core_degraded")
    assert 110 <= facts["lag_seconds"] == pytest.approx(facts["seconds"], abs=0.1)
    assert await undeclared(pool, settings) == []


async def test_events_that_wait_for_less_than_the_bound_are_not_late(pool: asyncpg.Pool) -> None:
    await event_waits(pool, 40)
    await ago(pool, late_since=60)
    assert not (await looked(pool, redis=True)).degraded


async def test_streams_that_wait_for_redis_are_degraded_for_its_sake(pool: asyncpg.Pool) -> None:
    await event_waits(pool, 110)
    await ago(pool, redis_seen_at=40, late_since=10)
    assert (await looked(pool, redis=False)).reason == "redis"


async def test_it_recovers_once_when_it_was_well_for_long_enough(
    pool: asyncpg.Pool, settings: Settings
) -> None:
    await degrade(pool)
    await ago(pool, redis_seen_at=0, well_since=40)
    assert (await looked(pool, redis=True)).degraded
    await ago(pool, well_since=100)
    found = await asyncio.gather(*(looked(pool, redis=True) for _ in range(20)))
    assert sum(each.leaves for each in found) == 1
    assert await told(pool) == ["core_recovered"]
    facts = await payload(pool, "core_recovered")
    assert facts["reason"] == "redis"
    assert 60 <= facts["seconds"] < 60 + PATIENT_SECONDS
    assert await undeclared(pool, settings) == []


@pytest.mark.parametrize("again", ["redis", "lag"])
async def test_who_was_ill_in_between_starts_anew(pool: asyncpg.Pool, again: str) -> None:
    await degrade(pool)
    await ago(pool, redis_seen_at=40, well_since=200)
    if again == "lag":
        await event_waits(pool, 110)
    assert (await looked(pool, redis=again == "lag")).degraded
    await pool.execute("DELETE FROM outbox")
    found = await looked(pool, redis=True)
    assert found.degraded, "its health of before the relapse was counted"


async def test_time_in_which_nobody_looked_counts_for_nothing(pool: asyncpg.Pool) -> None:
    """All workers were stopped, or the database was."""
    await ago(pool, looked_at=3600, redis_seen_at=3600, late_since=3600)
    await event_waits(pool, 3600)
    assert not (await looked(pool, redis=False)).degraded
    await degrade(pool)
    await pool.execute("DELETE FROM outbox")
    await ago(pool, looked_at=3600, well_since=3600)
    assert (await looked(pool, redis=True)).degraded


async def test_what_is_known_is_told_while_workers_look(pool: asyncpg.Pool) -> None:
    await degrade(pool)
    await looked(pool, redis=True)
    assert (await read(pool, RULES)).degraded
    await ago(pool, looked_at=60)
    known = await read(pool, RULES)
    assert not known.watched
    assert not known.degraded, "nobody knows any longer"


async def test_without_a_worker_the_lag_is_looked_for(pool: asyncpg.Pool) -> None:
    await event_waits(pool, 110)
    await ago(pool)
    assert (await read(pool, RULES)).lag_seconds == 0, "the workers' own"
    await ago(pool, looked_at=60)
    assert 110 <= (await read(pool, RULES)).lag_seconds < 110 + PATIENT_SECONDS


async def test_a_row_that_was_deleted_is_made_again(pool: asyncpg.Pool) -> None:
    await pool.execute("DELETE FROM core_state")
    assert not (await read(pool, RULES)).watched
    assert not (await looked(pool, redis=True)).degraded
    assert (await read(pool, RULES)).watched
