"""What is collected of the outbox, once each, and what is forgotten of it."""

import asyncio
from collections import Counter
from uuid import UUID

import asyncpg
import pytest

from impl.db import open_pool
from impl.notifications import collecting_queries
from impl.settings import Settings
from tests.integration.notifications.conftest import (
    Operator,
    Worker,
    a_worker,
    publish,
    until,
)
from tests.integration.notifications.receiver import Receiver
from tests.patience import PATIENT_SECONDS


async def test_an_event_that_commits_late_is_not_passed_over(
    operator: Operator, hook: Receiver, worker: Worker, pool: asyncpg.Pool
) -> None:
    await operator.subscribe(hook)
    async with pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        (late,) = await publish(slow)  # it has the lower id
        (early,) = await publish(pool)
        collecting = asyncio.create_task(worker.collector.collect())
        done, _ = await asyncio.wait({collecting}, timeout=0.3)
        assert not done, "it went on while a lower id might come"
        await transaction.commit()
    await collecting
    while await worker.once():
        pass
    assert Counter(body["data"]["event_id"] for body in hook.got) == {late: 1, early: 1}


async def test_two_workers_and_commits_out_of_order_lose_and_double_nothing(
    operator: Operator, hook: Receiver, settings: Settings, pool: asyncpg.Pool
) -> None:
    await operator.subscribe(hook)

    async def write(number: int) -> list[str]:
        async with pool.acquire() as connection, connection.transaction():
            ids = await publish(connection, 2)
            await asyncio.sleep(number % 5 * 0.01)
            return ids + await publish(connection, 1)

    async with (
        a_worker(settings) as one, a_worker(settings) as other, one.running(), other.running()
    ):  # fmt: skip
        wrote = await asyncio.gather(*(write(number) for number in range(40)))
        expected = Counter(event_id for ids in wrote for event_id in ids)
        await until(lambda: len(hook.got) >= expected.total())
        left = "SELECT count(*) FROM notification_deliveries WHERE status = 'pending'"

        async def drained() -> bool:
            return not await pool.fetchval(left)

        await until(drained)
    assert Counter(body["data"]["event_id"] for body in hook.got) == expected


async def test_a_process_that_stopped_while_it_prepared_a_statement_holds_nobody_up_for_long(
    operator: Operator, hook: Receiver, worker: Worker, settings: Settings, pool: asyncpg.Pool
) -> None:
    await operator.subscribe(hook)
    stopped = await open_pool(settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("impl.db.TRANSACTION_SECONDS", 5.0)
        connection = await stopped.acquire()
    try:
        await connection.prepare("INSERT INTO outbox (stream) VALUES ($1)")  # and no more
        assert await collecting_queries.writers(pool)
        (event_id,) = await publish(pool)
        async with asyncio.timeout(PATIENT_SECONDS):
            await worker.once()
    finally:
        stopped.terminate()
    assert [body["data"]["event_id"] for body in hook.got] == [event_id]


async def test_what_ended_long_ago_is_forgotten(
    operator: Operator, hook: Receiver, worker: Worker, pool: asyncpg.Pool
) -> None:
    subscription = await operator.subscribe(hook)
    await publish(pool, 2)
    await worker.once()
    old = UUID((await operator.deliveries(subscription))[0]["id"])
    await pool.execute(
        "UPDATE notification_deliveries SET finished_at = now() - interval '31 days' WHERE id = $1",
        old,
    )
    await worker.collector._purge_now_and_then()
    assert old not in {UUID(item["id"]) for item in await operator.deliveries(subscription)}
    assert len(await operator.deliveries(subscription)) == 1


async def test_what_waits_for_a_subscription_that_was_deleted_is_forgotten(
    operator: Operator, hook: Receiver, worker: Worker, pool: asyncpg.Pool
) -> None:
    gone, kept = await operator.subscribe(hook), await operator.subscribe(hook)
    await publish(pool)
    await worker.collector.collect()
    old = "now() - interval '31 days'"
    await pool.execute(f"UPDATE notification_deliveries SET next_attempt_at = {old}")
    await pool.execute(
        """UPDATE notification_subscriptions SET deleted_at = now(), disabled_at = now(),
        disabled_reason = 'operator' WHERE id = $1""",
        UUID(gone["id"]),
    )
    await worker.collector._purge_now_and_then()
    left = await pool.fetch("SELECT subscription_id FROM notification_deliveries")
    assert [str(row["subscription_id"]) for row in left] == [kept["id"]]


async def test_more_than_one_purge_takes_is_forgotten_by_the_next_looks(
    operator: Operator, hook: Receiver, worker: Worker, pool: asyncpg.Pool
) -> None:
    await operator.subscribe(hook)
    await publish(pool, 5)
    await worker.collector.collect()
    await pool.execute(
        """UPDATE notification_deliveries SET status = 'failed',
        finished_at = now() - interval '31 days'"""
    )
    left = "SELECT count(*) FROM notification_deliveries"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collecting_queries.purge, "__defaults__", (2,))
        for kept in (3, 1, 0):
            await worker.collector._purge_now_and_then()
            assert await pool.fetchval(left) == kept
