"""Redis and the table agree, whatever either of them lost and whoever was late."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from redis.asyncio import Redis

from impl.ratelimit import filling
from impl.ratelimit.filling import Filling
from impl.ratelimit.master import MasterCopy
from impl.ratelimit.queries import OwnLimit
from impl.ratelimit.shared import FILLED, own_limit_key


def fresh(pool: asyncpg.Pool, redis: Redis) -> Filling:
    """As another instance that starts now."""
    return Filling(redis, MasterCopy(pool))


async def store(pool: asyncpg.Pool, limit: OwnLimit) -> None:
    await pool.execute(
        """INSERT INTO rate_limits (partition, subject_id, quota, window_seconds, version)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (partition, subject_id) DO UPDATE SET quota = excluded.quota,
               window_seconds = excluded.window_seconds, version = excluded.version""",
        limit.partition,
        limit.subject_id,
        limit.quota,
        limit.window_seconds,
        limit.version,
    )


def limit(quota: int | None = 5, version: int = 1, subject: UUID | None = None) -> OwnLimit:
    return OwnLimit("user", subject or uuid4(), quota, None if quota is None else 60, version)


async def in_redis(redis: Redis, of: OwnLimit) -> str | None:
    client: Any = redis
    found: str | None = await client.hget(own_limit_key(of.partition, of.subject_id), "quota")
    return found


async def test_an_empty_table_fills_an_empty_redis(pool: asyncpg.Pool, redis: Redis) -> None:
    await fresh(pool, redis).agree()
    assert await redis.get(FILLED) == "0"


async def test_a_late_write_of_an_older_version_changes_nothing(
    pool: asyncpg.Pool, redis: Redis
) -> None:
    old = limit(quota=5, version=1)
    new = replace(old, quota=7, version=2)
    await fresh(pool, redis).push([new])
    await fresh(pool, redis).push([old])
    assert await in_redis(redis, old) == "7"


async def test_a_late_write_brings_no_limit_back(pool: asyncpg.Pool, redis: Redis) -> None:
    old = limit(quota=5, version=1)
    taken_back = replace(old, quota=None, window_seconds=None, version=2)
    await fresh(pool, redis).push([old])
    await fresh(pool, redis).push([taken_back])
    await fresh(pool, redis).push([old])
    assert await in_redis(redis, old) is None
    assert 0 < await redis.ttl(own_limit_key("user", old.subject_id)) <= 3600


async def test_a_limit_that_is_set_again_does_not_expire(pool: asyncpg.Pool, redis: Redis) -> None:
    one = limit(quota=None, version=1)
    await fresh(pool, redis).push([one])
    await fresh(pool, redis).push([replace(one, quota=5, window_seconds=60, version=2)])
    assert await redis.ttl(own_limit_key("user", one.subject_id)) == -1


async def test_an_older_redis_that_was_restored_catches_up(
    pool: asyncpg.Pool, redis: Redis
) -> None:
    first, second = limit(version=1), limit(version=2)
    await store(pool, first)
    await fresh(pool, redis).agree()
    old = await redis.dump(own_limit_key("user", first.subject_id))
    await store(pool, replace(first, quota=8, version=3))
    await store(pool, second)
    running = fresh(pool, redis)
    await running.agree()
    assert await in_redis(redis, first) == "8"
    await redis.delete(own_limit_key("user", second.subject_id))
    await redis.set(FILLED, 1)
    await redis.hset(own_limit_key("user", first.subject_id), mapping={"quota": 5, "version": 1})
    await running.agree()
    assert (await in_redis(redis, first), await in_redis(redis, second)) == ("8", "5")
    assert await redis.get(FILLED) == "3"
    assert old


async def test_an_older_database_that_was_restored_counts(pool: asyncpg.Pool, redis: Redis) -> None:
    kept, lost = limit(version=1), limit(version=2)
    await store(pool, kept)
    await store(pool, lost)
    running = fresh(pool, redis)
    await running.agree()
    await pool.execute("DELETE FROM rate_limits WHERE version = 2")
    await redis.set("rate:user:1:bucket", "1:1")
    await running.agree()
    assert (await in_redis(redis, kept), await in_redis(redis, lost)) == ("5", None)
    assert await redis.get(FILLED) == "1"
    assert await redis.exists("rate:user:1:bucket"), "what was used is no limit"


async def test_a_redis_that_is_emptied_while_it_is_filled_is_not_called_full(
    pool: asyncpg.Pool, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(pool, limit(version=1))
    running = fresh(pool, redis)
    push = running.push

    async def push_and_lose(rows: list[OwnLimit]) -> None:
        await push(rows)
        await redis.flushdb()

    monkeypatch.setattr(running, "push", push_and_lose)
    await running.agree()
    assert not await redis.exists(FILLED)
    monkeypatch.undo()
    await running.agree()
    assert await redis.get(FILLED) == "1"


async def test_what_is_read_while_others_are_pushed_is_not_called_filled(
    pool: asyncpg.Pool, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, later = limit(version=1), limit(quota=7, version=2)
    await store(pool, first)
    instance = fresh(pool, redis)
    push = Filling.push

    async def meanwhile(self: Filling, rows: Any) -> None:
        await push(self, rows)
        await store(pool, later)  # by another instance, which dies before it brings it here
        await instance._master.refresh()  # as `announce` does beside

    monkeypatch.setattr(Filling, "push", meanwhile)
    await instance.agree()
    monkeypatch.undo()
    await instance.agree()
    assert await in_redis(redis, later) == "7"


async def test_of_two_that_fill_the_slower_takes_nothing_back(
    pool: asyncpg.Pool, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = limit(version=1)
    await store(pool, one)
    slow, fast = fresh(pool, redis), fresh(pool, redis)
    push = slow.push

    async def after_the_other(rows: list[OwnLimit]) -> None:
        await store(pool, replace(one, quota=9, version=2))
        await fast.agree()
        await push(rows)

    monkeypatch.setattr(slow, "push", after_the_other)
    await slow.agree()
    assert await in_redis(redis, one) == "9"
    assert await redis.get(FILLED) == "2"


async def test_many_are_filled_in_batches(
    pool: asyncpg.Pool, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "BATCH", 3)
    limits = [limit(quota=number + 1, version=number + 1) for number in range(10)]
    for each in limits:
        await store(pool, each)
    await fresh(pool, redis).agree()
    assert [await in_redis(redis, each) for each in limits] == [str(n + 1) for n in range(10)]


@pytest.mark.parametrize("marker", ["nonsense", "", "-1", "1.5", "9" * 30, "9" * 5000, b"\xff"])
async def test_a_marker_that_makes_no_sense_is_none(
    pool: asyncpg.Pool, redis: Redis, marker: str | bytes
) -> None:
    await redis.set(FILLED, marker)
    await fresh(pool, redis).agree()
    assert await redis.get(FILLED) == "0"


async def test_a_marker_of_another_type_is_replaced(pool: asyncpg.Pool, redis: Redis) -> None:
    client: Any = redis
    await client.rpush(FILLED, "1")
    await fresh(pool, redis).agree()
    assert await redis.get(FILLED) == "0"


async def test_a_key_of_another_type_is_replaced(pool: asyncpg.Pool, redis: Redis) -> None:
    one = limit(version=1)
    await redis.set(own_limit_key("user", one.subject_id), "nonsense")
    await fresh(pool, redis).push([one])
    assert await in_redis(redis, one) == "5"
