"""Outbox to streams: in order, complete, once in the stream however often it is sent."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from generated.events import PAYLOADS, EventType
from impl.events.relay import Relay
from impl.redis import relay_client
from impl.settings import Settings
from tests.stack import Api, ScriptedPlugin


@pytest_asyncio.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    client = relay_client(settings)
    await client.flushall()
    yield client
    await client.aclose()


def relay_of(pool: asyncpg.Pool, redis: Redis) -> Relay:
    return Relay(pool, redis, batch=100, poll_seconds=0.01)


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


async def test_every_event_is_what_the_contract_says(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    await api.say(await api.user(), "Hello! a secret")
    for row in await pool.fetch("SELECT body FROM outbox"):
        payload = row["body"]["payload"]
        PAYLOADS[EventType(row["body"]["event_type"])].model_validate_json(orjson.dumps(payload))
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
    await pool.executemany(
        "INSERT INTO outbox (event_id, stream, body) VALUES ($1, 'plugin:events', $2)",
        [(uuid4(), event(number)) for number in range(200)],
    )
    relays = [Relay(pool, redis, batch=7, poll_seconds=0.01) for _ in range(4)]

    async def drain(relay: Relay) -> None:
        while await pool.fetchval("SELECT EXISTS (SELECT FROM outbox WHERE published_at IS NULL)"):
            await relay.drain_once()

    await asyncio.gather(*map(drain, relays))
    found = await entries(redis, "plugin:events")
    assert [orjson.loads(fields["payload"])["number"] for _, fields in found] == list(range(200))


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


def event(number: int) -> dict[str, Any]:
    return {
        "event_id": str(uuid4()),
        "event_type": "plugin_heartbeat",
        "source": "core",
        "severity": "info",
        "plugin_id": None,
        "dialog_id": None,
        "trace_id": str(uuid4()),
        "occurred_at": "2026-11-22T10:15:30Z",
        "payload": {"number": number},
    }
