"""An erasure against everything that stores something at the same time."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from redis.asyncio import Redis

from impl.degraded.gate import Gate as RedisGate
from impl.erasure import erasing
from impl.erasure.eraser import Eraser
from impl.erasure.erasing import Erasure
from impl.events import relay, streams
from impl.notifications import collecting_queries as collecting
from impl.redis import UNREACHABLE
from impl.settings import Settings
from impl.users.queries import upsert_user
from tests.integration.api.queued import LATER, recover, say
from tests.integration.api.test_reset_races import until_somebody_waits_for_a_lock
from tests.integration.erasure.conftest import Bot, Operator, Reporting, Worker
from tests.integration.erasure.searching import keys_with, tables_with
from tests.integration.erasure.test_erasure import CANARY, erase, registered
from tests.stack import Api, Gate

CONTENT = "SELECT count(*) FROM messages"


async def test_an_answer_that_comes_later_is_not_stored(
    api: Api, reporting: Reporting, worker: Worker, pool: asyncpg.Pool, redis: Redis
) -> None:
    user, dialog, gate = await api.user(), uuid4(), Gate()
    reporting.plugin.reply = gate.reply
    for early in (True, False):  # before a worker has come to it, and after
        reporting.plugin.called.clear()
        gate.go_on.clear()
        asked = asyncio.create_task(api.say(user, CANARY, dialog))
        await reporting.plugin.called.wait()
        assert (await erase(api, user)).status == 200
        if not early:
            await worker.erase()
        gate.go_on.set()
        answer = await asked
        assert (answer.status, answer.json["code"]) == (409, "message_in_flight")
        assert "late" not in str(await pool.fetch("SELECT payload FROM messages"))
        assert await pool.fetchval("SELECT count(response) FROM message_keys") == 0
        await worker.erase()
        await worker.publish()
        assert await tables_with(pool, CANARY) == set()
        assert await keys_with(redis, str(dialog)) == set()
        assert await worker.differences() == []
        user = await api.user()


async def test_a_message_that_makes_a_dialog_meanwhile_finds_no_user(
    api: Api, reporting: Reporting, pool: asyncpg.Pool
) -> None:
    user, dialog = await api.user(), uuid4()
    erasure = Erasure(UUID(user), api.bot_id, str(uuid4()))
    async with pool.acquire() as other, other.transaction():
        assert await erasing.erase(other, erasure)
        asked = asyncio.create_task(api.say(user, CANARY, dialog))
        await until_somebody_waits_for_a_lock(pool)
    answer = await asked
    assert (answer.status, answer.json["code"]) == (404, "dialog_not_found")
    assert reporting.plugin.calls == []
    assert await tables_with(pool, CANARY) == set()


async def test_a_dialog_that_is_made_meanwhile_is_erased_too(api: Api, pool: asyncpg.Pool) -> None:
    """The erasure has begun, and must wait for a message that was quicker."""
    user = await api.user()
    async with pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        # As the intake of a first message does.
        await other.execute(
            "INSERT INTO dialogs (bot_id, user_id) SELECT bot_id, user_id FROM bot_users"
            " FOR KEY SHARE"
        )
        erased = asyncio.create_task(erase(api, user))
        await until_somebody_waits_for_a_lock(pool)
        await transaction.commit()
    assert (await erased).status == 200
    assert await pool.fetchval("SELECT bool_and(erased_at IS NOT NULL) FROM dialogs")


async def test_who_registers_meanwhile_begins_anew(api: Api, pool: asyncpg.Pool) -> None:
    user = await registered(api, CANARY)
    erasure = Erasure(UUID(user), api.bot_id, str(uuid4()))
    async with pool.acquire() as other, other.transaction():
        assert await erasing.erase(other, erasure)
        asked = asyncio.create_task(registered(api, "Ada"))
        await until_somebody_waits_for_a_lock(pool)
    assert await asked != user
    assert await tables_with(pool, CANARY) == set()


async def test_whom_another_bot_registers_meanwhile_stays_with_that(
    api: Api, other: Bot, pool: asyncpg.Pool
) -> None:
    """The last bot that knew them is not the last any more."""
    user = await registered(api, CANARY)
    other_id = await pool.fetchval("SELECT id FROM bots WHERE name = 'other'")
    async with pool.acquire() as connection, connection.transaction():
        done = await upsert_user(
            connection,
            bot_id=other_id,
            telegram_id=814,
            display_name="Ada",
            locale=None,
            metadata={},
            trace_id=str(uuid4()),
        )
        erased = asyncio.create_task(erase(api, user))
        await until_somebody_waits_for_a_lock(pool)
    assert (await erased).status == 200
    assert str(done.user_id) == user
    assert await pool.fetchval("SELECT telegram_id FROM users") == 814
    assert await registered(other, "Ada") == user


async def test_of_two_at_once_one_erases(api: Api, pool: asyncpg.Pool) -> None:
    user = await api.user()
    answers = await asyncio.gather(*(erase(api, user) for _ in range(4)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.raw for answer in answers}) == 1
    told = "SELECT count(*) FROM outbox WHERE body->>'event_type' = 'user_erased'"
    assert await pool.fetchval(told) == 1


async def test_a_call_that_waits_is_not_made_any_more(  # noqa: PLR0917  # fixtures
    api: Api, reporting: Reporting, worker: Worker, pool: asyncpg.Pool, redis: Redis,
    settings: Settings,
) -> None:  # fmt: skip
    user, dialog = await api.user(), uuid4()
    assert (await say(api, user, CANARY, dialog, "m-1", LATER)).status == 202
    await erase(api, user)
    await recover(pool, settings)
    assert reporting.plugin.calls == []
    await worker.erase()
    await worker.publish()
    assert await recover(pool, settings) == 0
    assert await tables_with(pool, str(dialog)) == {"audit_logs"}
    assert await keys_with(redis, str(dialog)) == set()


async def test_what_a_plugin_still_reports_is_not_kept(
    api: Api, reporting: Reporting, worker: Worker, pool: asyncpg.Pool
) -> None:
    user, dialog, event_id = await api.user(), uuid4(), uuid4()
    await api.say(user, "Hello!", dialog)
    await erase(api, user)
    assert (await reporting.report(event_id, dialog, CANARY)).json["status"] == "accepted"
    assert await tables_with(pool, CANARY) == set()
    await worker.erase()
    assert await tables_with(pool, str(event_id)) == {"audit_logs", "outbox"}


async def test_an_entry_that_was_on_its_way_to_redis_is_taken_out(  # noqa: PLR0917  # fixtures
    api: Api, reporting: Reporting, worker: Worker, pool: asyncpg.Pool, redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The relay had read the row when the event was erased, and sends what it has read."""
    user, dialog = await api.user(), uuid4()
    await api.say(user, "Hello!", dialog)
    real, stream = streams.append, f"plugin:invocations:{reporting.id}"

    async def then_erased(*values: Any) -> None:
        await real(*values)
        if values[1] == stream:
            monkeypatch.undo()
            await erase(api, user)
            await worker.erase()

    monkeypatch.setattr(relay, "append", then_erased)
    await worker.relay.drain_once()
    assert stream in await keys_with(redis, str(dialog))
    assert await worker.differences() == [], "it is under way"
    await worker.publish()
    assert stream not in await keys_with(redis, str(dialog))
    assert await worker.differences() == []


async def test_notifications_that_are_made_meanwhile_go_too(
    api: Api, reporting: Reporting, operator: Operator, worker: Worker, pool: asyncpg.Pool
) -> None:
    """The collector has read the events, and has not committed what it made of them."""
    url = reporting.plugin.url
    await operator.send("POST", "/notifications/subscriptions",
                        json={"url": url, "min_severity": "info"})  # fmt: skip
    user, dialog = await api.user(), uuid4()
    await api.say(user, "Hello!", dialog)
    await erase(api, user)
    newest = await collecting.newest(pool)
    assert newest is not None
    async with pool.acquire() as other, other.transaction():
        batch = await collecting.lock_batch(other, newest, 100)
        assert batch is not None
        await collecting.insert_deliveries(other, batch, [])
        await collecting.move_cursor(other, batch)
        emptying = asyncio.create_task(worker.erase())
        await until_somebody_waits_for_a_lock(pool)
    await emptying
    assert await tables_with(pool, str(dialog)) == {"audit_logs"}
    kept = await pool.fetchval("SELECT array_agg(event_type) FROM notification_deliveries")
    assert "user_erased" in kept


async def test_without_redis_it_is_removed_there_later(  # noqa: PLR0917  # fixtures
    api: Api, reporting: Reporting, worker: Worker, pool: asyncpg.Pool, redis: Redis,
    unused_tcp_port: int,
) -> None:  # fmt: skip
    user, dialog = await registered(api, CANARY), uuid4()
    await api.say(user, CANARY, dialog)
    await worker.publish()
    away = Redis(port=unused_tcp_port)
    eraser = Eraser(pool, RedisGate(away, 1.0), kept_seconds=0)
    await erase(api, user)
    assert await eraser.step()
    with pytest.raises(UNREACHABLE):
        await eraser.step()
    await away.aclose()
    assert await tables_with(pool, CANARY) == set()
    assert await pool.fetchval("SELECT count(*) FROM dialogs") == 1
    assert f"dialog:state:{dialog}" in await keys_with(redis, str(dialog))
    await worker.erase()
    await worker.publish()
    assert await keys_with(redis, str(dialog)) == set()
    assert await tables_with(pool, str(dialog)) == {"audit_logs"}


async def test_a_row_stays_while_a_call_may_be_under_way(
    api: Api, reporting: Reporting, worker: Worker, pool: asyncpg.Pool
) -> None:
    user, dialog = await api.user(), uuid4()
    await api.say(user, CANARY, dialog)
    await erase(api, user)
    eraser = Eraser(pool, worker.eraser.gate, kept_seconds=60)
    while await eraser.step():
        pass
    assert await tables_with(pool, CANARY) == set()
    assert await tables_with(pool, str(dialog)) == {"audit_logs", "dialogs"}
    aged = "UPDATE dialogs SET erased_at = erased_at - interval '61 seconds'"
    await pool.execute(aged)
    while await eraser.step():
        pass
    assert await tables_with(pool, str(dialog)) == {"audit_logs"}


async def test_an_erasure_that_fails_erases_nothing(api: Api, pool: asyncpg.Pool) -> None:
    """Its statements are one transaction: a membership that is gone alone would hide the rest."""
    user = await api.user()
    await pool.execute("ALTER TABLE erasures ADD CONSTRAINT refused CHECK (false) NOT VALID")
    assert (await erase(api, user)).status == 500
    assert await pool.fetchval("SELECT count(*) FROM bot_users WHERE user_id = $1", UUID(user)) == 1
    await pool.execute("ALTER TABLE erasures DROP CONSTRAINT refused")
    assert (await erase(api, user)).status == 200
