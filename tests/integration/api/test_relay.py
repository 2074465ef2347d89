"""Outbox to streams: in order, complete, once in the stream however often it is sent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from generated.events import PLUGIN_EVENTS
from generated.metrics import make_metrics
from impl.events import queries, streams
from impl.events.relay import Relay
from impl.redis import relay_client
from impl.settings import Settings
from tests.integration.api.queued import LATER, called, recover, say
from tests.stack import Api, Gate, ScriptedPlugin


@pytest_asyncio.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    client = relay_client(settings)
    await client.flushall()
    yield client
    await client.aclose()


def relay_of(pool: asyncpg.Pool, redis: Redis) -> Relay:
    return Relay(pool, redis, batch=100, poll_seconds=0.01, metrics=make_metrics())


async def entries(redis: Redis, stream: str) -> list[tuple[str, dict[str, str]]]:
    # The client decodes; its types do not know.
    return cast("list[tuple[str, dict[str, str]]]", await redis.xrange(stream))


async def test_every_committed_event_reaches_its_stream_in_order(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, redis: Redis
) -> None:
    user, dialog = await api.user(), uuid4()
    for number in range(3):
        await api.say(user, f"{number}", dialog)
    relay = relay_of(pool, redis)
    while await relay.drain_once():
        pass
    plugin_id = await pool.fetchval("SELECT id FROM plugins")
    calls = await entries(redis, f"plugin:invocations:{plugin_id}")
    assert [entry_id for entry_id, _ in calls] == [f"{n}-0" for n in range(1, 7)]
    assert [fields["event_type"] for _, fields in calls] == [
        "plugin_invocation_started",
        "plugin_invocation_completed",
    ] * 3
    assert [f["event_type"] for _, f in await entries(redis, "plugin:events")] == [
        "plugin_registered"
    ]
    assert [f["event_type"] for _, f in await entries(redis, "dialog:events")] == ["user_created"]
    audited = await pool.fetch("SELECT event_id FROM audit_logs WHERE event_id IS NOT NULL")
    sent = {UUID(fields["event_id"]) for _, fields in calls}
    assert sent < {row["event_id"] for row in audited}
    assert await pool.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL") == 0


async def test_no_event_tells_what_was_said(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    await api.say(await api.user(), "Hello! a secret")
    for row in await pool.fetch("SELECT body FROM outbox"):
        assert "secret" not in str(row["body"])


async def test_a_batch_whose_end_was_lost_adds_nothing_when_it_is_repeated(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, redis: Redis
) -> None:
    await api.say(await api.user(), "Hello!")
    relay = relay_of(pool, redis)
    await relay.drain_once()
    await pool.execute("UPDATE outbox SET published_at = NULL")
    await relay.drain_once()
    plugin_id = await pool.fetchval("SELECT id FROM plugins")
    assert len(await entries(redis, f"plugin:invocations:{plugin_id}")) == 2


async def test_several_relays_share_the_work_without_a_gap_or_a_repeat(
    api: Api, pool: asyncpg.Pool, redis: Redis
) -> None:
    await add_events(pool, range(200))
    relays = [
        Relay(pool, redis, batch=7, poll_seconds=0.01, metrics=make_metrics()) for _ in range(4)
    ]

    async def drain(relay: Relay) -> None:
        while await pool.fetchval("SELECT EXISTS (SELECT FROM outbox WHERE published_at IS NULL)"):
            await relay.drain_once()

    await asyncio.gather(*map(drain, relays))
    assert await drained(pool, redis) == list(range(200))


async def test_without_redis_the_outbox_waits_and_is_drained_when_it_is_back(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, redis: Redis, unused_tcp_port: int
) -> None:
    away = Redis(port=unused_tcp_port, retry=Retry(NoBackoff(), 0))
    task = asyncio.create_task(relay_of(pool, away).run())
    answer = await api.say(await api.user(), "Hello!")
    assert answer.json["status"] == "accepted"
    assert await pool.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL") == 4
    assert not task.done()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task  # which may hold a stream's lock until then
    await away.aclose()
    while await relay_of(pool, redis).drain_once():
        pass
    assert await pool.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL") == 0


async def test_the_dialogs_state_is_kept_for_ten_minutes_at_most(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, redis: Redis
) -> None:
    dialog = uuid4()
    await api.say(await api.user(), "Hello!", dialog)
    await relay_of(pool, redis).drain_once()
    key = f"dialog:state:{dialog}"
    state = cast("dict[str, str]", await redis.hgetall(key))
    assert state["last_plugin_id"] == str(await pool.fetchval("SELECT id FROM plugins"))
    assert set(state) == {"last_plugin_id", "last_message_at"}
    assert 0 < await redis.ttl(key) <= 600


async def test_the_state_tells_the_call_that_waits_until_that_one_has_ended(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, redis: Redis, settings: Settings
) -> None:
    user, dialog, gate = await api.user(), uuid4(), Gate()
    key = f"dialog:state:{dialog}"

    async def pending() -> str | None:
        await relay_of(pool, redis).drain_once()
        return cast("str | None", await redis.hget(key, "pending_invocation_id"))

    text_reply.reply, good = gate.reply, text_reply.reply
    earlier = asyncio.create_task(api.say(user, "earlier", dialog))
    await called(text_reply, 1)
    assert await pending() == text_reply.calls[0]["invocation_id"]
    await say(api, user, "Hello!", dialog, "m-1", LATER)
    waits = await pool.fetchval(
        "SELECT invocation_id::text FROM plugin_calls WHERE status = 'queued'"
    )
    assert await pending() == waits
    gate.go_on.set()
    await earlier
    assert await pending() == waits
    text_reply.reply = good
    assert await recover(pool, settings) == 1
    assert await pending() is None
    assert await redis.exists(key)


async def add_events(pool: asyncpg.Pool, numbers: range) -> None:
    """Heartbeats, whose number stands in `queue_depth`."""
    await add(pool, "plugin:events", [heartbeat(number) for number in numbers])


async def add(pool: asyncpg.Pool, stream: str, bodies: list[dict[str, Any]]) -> None:
    await pool.executemany(
        "INSERT INTO outbox (event_id, stream, body) VALUES ($1, $2, $3)",
        [(uuid4(), stream, body) for body in bodies],
    )


async def drained(pool: asyncpg.Pool, redis: Redis) -> list[int]:
    """The events' numbers as they stand in the stream when all is published."""
    relay = relay_of(pool, redis)
    while await pool.fetchval("SELECT EXISTS (SELECT FROM outbox WHERE published_at IS NULL)"):
        await relay.drain_once()
    found = await entries(redis, "plugin:events")
    return [orjson.loads(fields["payload"])["queue_depth"] for _, fields in found]


async def test_a_batch_that_redis_refuses_in_the_middle_leaves_no_gap(
    api: Api, pool: asyncpg.Pool, redis: Redis
) -> None:
    """The middle entry is refused once, as when memory runs out and comes back at once."""
    await add_events(pool, range(10))
    relay, sane = relay_of(pool, redis), streams.APPEND
    refusing = sane.replace(
        "if position > last then",
        "if position == 5 then error('OOM command not allowed') end\n    if position > last then",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "APPEND", refusing)
        with pytest.raises(ResponseError):
            await relay.drain_once()
    assert len(await entries(redis, "plugin:events")) == 4
    assert await drained(pool, redis) == list(range(10))


async def test_out_of_memory_loses_nothing(api: Api, pool: asyncpg.Pool, redis: Redis) -> None:
    await add_events(pool, range(50))
    relay = relay_of(pool, redis)
    await redis.config_set("maxmemory", "1")
    try:
        with pytest.raises(ResponseError):
            await relay.drain_once()
        assert await pool.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL") == 50
    finally:
        await redis.config_set("maxmemory", "0")
    assert await drained(pool, redis) == list(range(50))


async def test_a_stream_keeps_about_as_many_entries_as_the_contract_says(
    api: Api, pool: asyncpg.Pool, redis: Redis
) -> None:
    await add_events(pool, range(500))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "STREAMS", [replace(PLUGIN_EVENTS, max_length=100)])
        found = await drained(pool, redis)
    # Redis cuts whole nodes of a hundred entries.
    assert 100 <= len(found) <= 200
    assert found[-1] == 499


async def test_a_stream_that_is_ahead_of_the_table_is_continued_behind(
    api: Api, pool: asyncpg.Pool, redis: Redis
) -> None:
    """The database was restored, or somebody else wrote into the stream."""
    await redis.xadd("plugin:events", {"payload": '{"queue_depth": -1}'}, id="1000000-0")
    await add_events(pool, range(3))
    assert await drained(pool, redis) == [-1, 0, 1, 2]
    assert [entry_id for entry_id, _ in await entries(redis, "plugin:events")][1:] == [
        "1000001-0",
        "1000002-0",
        "1000003-0",
    ]


async def test_what_was_numbered_anew_after_a_restore_before_anybody_looked_is_not_skipped(
    api: Api, pool: asyncpg.Pool, redis: Redis
) -> None:
    """A standby took over that lacks the newest rows, and gives their positions a second time."""
    await add_events(pool, range(10))
    await drained(pool, redis)
    await pool.execute("DELETE FROM outbox WHERE position > 6")
    await pool.execute("UPDATE streams SET last_position = 6, published_position = 6")
    await add_events(pool, range(20, 25))
    assert await relay_of(pool, redis).number_once() == 5  # 7 to 11, and Redis has 7 to 10
    assert await drained(pool, redis) == [*range(10), *range(20, 25)]
    assert await pool.fetchval("SELECT last_position = published_position FROM streams")


async def test_a_hole_in_a_stream_hides_no_event_either(
    api: Api, pool: asyncpg.Pool, redis: Redis
) -> None:
    await add_events(pool, range(3))
    await drained(pool, redis)
    await redis.xadd("plugin:events", {"payload": '{"queue_depth": -1}'}, id="6-0")
    await add_events(pool, range(3, 8))
    assert await drained(pool, redis) == [0, 1, 2, -1, 3, 4, 5, 6, 7]


async def test_a_flushed_redis_is_filled_again_with_the_same_ids(
    api: Api, pool: asyncpg.Pool, redis: Redis
) -> None:
    await add_events(pool, range(20))
    await drained(pool, redis)
    before = await entries(redis, "plugin:events")
    await redis.flushall()
    await relay_of(pool, redis).check_streams()
    assert await drained(pool, redis) == list(range(20))
    assert await entries(redis, "plugin:events") == before


async def test_a_flushed_redis_is_filled_again_a_little_at_a_time(
    api: Api, pool: asyncpg.Pool, redis: Redis
) -> None:
    """A whole window takes longer than a statement may; what is new waits for what was there."""
    await add_events(pool, range(20))
    await drained(pool, redis)
    await redis.flushall()
    await add_events(pool, range(20, 22))
    waiting = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
    assert await pool.fetchval(waiting) == 2
    await queries.publish_again(pool, "plugin:events", 0, most=8)
    assert await pool.fetchval(waiting) == 10
    assert (await queries.positions(pool, "plugin:events")).published == 20
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries.publish_again, "__defaults__", (8,))
        assert await drained(pool, redis) == list(range(22))


async def test_what_redis_lost_of_the_end_comes_before_what_is_new(
    api: Api, pool: asyncpg.Pool, redis: Redis
) -> None:
    await add_events(pool, range(10))
    await drained(pool, redis)
    kept = (await entries(redis, "plugin:events"))[:6]
    await redis.delete("plugin:events")
    for entry_id, fields in kept:
        await redis.xadd("plugin:events", cast("dict[Any, Any]", fields), id=entry_id)
    await add_events(pool, range(10, 12))
    assert await drained(pool, redis) == list(range(12))


async def test_a_stream_that_cannot_be_written_stops_no_other(
    api: Api, pool: asyncpg.Pool, redis: Redis
) -> None:
    await redis.set("dialog:events", "not a stream")
    await add(pool, "dialog:events", [user_created()])
    await add_events(pool, range(3))
    assert await relay_of(pool, redis).drain_once() == 3
    assert len(await entries(redis, "plugin:events")) == 3


async def test_a_relay_holds_its_stream_alone(api: Api, pool: asyncpg.Pool, redis: Redis) -> None:
    await add_events(pool, range(3))
    relay = relay_of(pool, redis)
    async with pool.acquire() as other, other.transaction():
        assert await queries.lock_stream(other, "plugin:events")
        assert await relay.drain_once() == 0
    assert await relay.drain_once() == 3


def heartbeat(number: int) -> dict[str, Any]:
    plugin_id = str(uuid4())
    return {
        "event_id": str(uuid4()),
        "event_type": "plugin_heartbeat",
        "source": "core",
        "severity": "info",
        "plugin_id": plugin_id,
        "dialog_id": None,
        "trace_id": str(uuid4()),
        "occurred_at": "2026-11-22T10:15:30Z",
        "payload": {
            "plugin_id": plugin_id,
            "reported": "active",
            "status": "active",
            "latency_ms": None,
            "queue_depth": number,
        },
    }


def user_created() -> dict[str, Any]:
    about = {"event_type": "user_created", "plugin_id": None}
    return heartbeat(0) | about | {"payload": {"user_id": str(uuid4())}}
