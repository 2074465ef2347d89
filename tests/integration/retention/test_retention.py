"""What is removed, what is kept, and that many may do it at once."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from pydantic import ValidationError
from redis.asyncio import Redis

from generated.metrics import make_metrics
from impl.feed import queries as feed
from impl.redis import relay_client
from impl.retention import retention as retentions
from impl.retention.retention import Retention, RetentionTask
from impl.settings import RetentionSettings
from tests.integration.api.test_relay import add_events, entries, relay_of
from tests.integration.cli.commands import botcore
from tests.integration.feed.following import happen
from tests.integration.tokens.rows import make_plugin
from tests.patience import PATIENT_SECONDS
from tests.stack import ScriptedPlugin, running_api, scripted_plugin, settings_for


def retention_of(pool: asyncpg.Pool, **changed: Any) -> Retention:
    return Retention(pool, RetentionSettings(retention_batch=10, **changed))


async def removed(retention: Retention) -> dict[str, int]:
    found: Counter[str] = Counter()
    async for table, rows in retention.remove():
        found[table] += rows
    return {table: rows for table, rows in found.items() if rows}


async def counted(retention: Retention) -> dict[str, int]:
    return {table: rows async for table, rows in retention.count() if rows}


async def age(pool: asyncpg.Pool, table: str, days: float, where: str = "true") -> None:
    await pool.execute(
        f"UPDATE {table} SET created_at = created_at - make_interval(secs => $1) WHERE {where}",
        days * 86_400,
    )


async def numbered(pool: asyncpg.Pool) -> None:
    relay = relay_of(pool, Redis())
    while await relay.number_once():
        pass


async def collected(pool: asyncpg.Pool) -> None:
    """Notifications were made of all that the outbox holds."""
    await pool.execute("UPDATE notification_cursor SET outbox_id = (SELECT max(id) FROM outbox)")


async def test_nothing_goes_before_its_time(pool: asyncpg.Pool) -> None:
    plugin_id = await make_plugin(pool)
    for _ in range(25):
        await happen(pool, plugin_id)
    await numbered(pool)
    await age(pool, "audit_logs", 364.9)
    await age(pool, "feed", 29.9, "position > 0")
    retention = retention_of(pool)
    assert await counted(retention) == {}
    assert await removed(retention) == {}
    assert await pool.fetchval("SELECT count(*) FROM audit_logs") == 25
    assert await pool.fetchval("SELECT count(*) FROM plugin_events") == 25


async def test_what_is_older_goes_in_batches_and_the_rest_stays(pool: asyncpg.Pool) -> None:
    plugin_id = await make_plugin(pool)
    old = [await happen(pool, plugin_id) for _ in range(25)]
    await numbered(pool)
    await age(pool, "audit_logs", 366)
    await age(pool, "feed", 31, "position > 0")
    young = [await happen(pool, plugin_id) for _ in range(5)]
    await numbered(pool)
    retention = retention_of(pool)
    assert await counted(retention) == {"plugin_events": 25, "audit_logs": 25}
    assert await pool.fetchval("SELECT count(*) FROM plugin_events") == 30  # it only counted
    batches = [batch async for batch in retention.remove() if batch[1]]
    assert [rows for table, rows in batches if table == "audit_logs"] == [10, 10, 5]
    assert [rows for table, rows in batches if table == "plugin_events"] == [10, 10, 5]
    left = {row[0] for row in await pool.fetch("SELECT id FROM plugin_events")}
    assert left == set(young)
    assert {row[0] for row in await pool.fetch("SELECT event_id FROM audit_logs")} == set(young)
    assert not left & set(old)
    assert await removed(retention) == {}


async def test_the_feed_knows_below_what_nothing_is_kept(pool: asyncpg.Pool) -> None:
    """Also when all of it is old, and places are never given again."""
    plugin_id = await make_plugin(pool)
    for _ in range(7):
        await happen(pool, plugin_id)
    await numbered(pool)
    newest = (await feed.span(pool)).newest
    await age(pool, "feed", 31, "position > 0")
    assert await removed(retention_of(pool)) == {"plugin_events": 7}
    assert await feed.span(pool) == feed.Span(newest, newest)
    await happen(pool, plugin_id)
    await numbered(pool)
    assert (await feed.span(pool)).lowest == newest
    assert [row["position"] > newest for row in await feed.read(pool, after=newest, limit=9)] == [
        True
    ]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many entries a stream's window has here."""
    monkeypatch.setattr(retentions, "longest", lambda *_: 20)
    monkeypatch.setattr(retentions, "NODE", 0)
    return 20


async def test_what_a_refill_needs_is_never_removed(
    pool: asyncpg.Pool, database: str, valkey: str, narrow: int
) -> None:
    settings = settings_for(database, valkey)
    redis = relay_client(settings)
    await redis.flushall()
    relay = relay_of(pool, redis)
    await add_events(pool, range(55))
    while await relay.drain_once():
        pass
    await add_events(pool, range(55, 65))  # not sent yet
    assert await removed(retention_of(pool)) == {}  # of none was a notification made yet
    await collected(pool)
    assert await removed(retention_of(pool)) == {"outbox": 35}
    assert await removed(retention_of(pool)) == {}
    await redis.flushall()
    await relay.check_streams()
    while await relay.drain_once():
        pass
    ids = [entry_id for entry_id, _ in await entries(redis, "plugin:events")]
    assert ids == [f"{number}-0" for number in range(36, 66)]
    await redis.aclose()


async def test_what_is_kept_for_a_refill_is_counted_and_not_reckoned_from_positions(
    pool: asyncpg.Pool, narrow: int
) -> None:
    """The database was restored: the stream was far ahead, and the positions have a gap."""
    await add_events(pool, range(30))
    await numbered(pool)
    await pool.execute(
        "UPDATE outbox SET published_at = now(),"
        " position = CASE WHEN position > 15 THEN position + 1000 ELSE position END"
    )
    await pool.execute("UPDATE streams SET published_position = 1030")
    await collected(pool)
    assert await removed(retention_of(pool)) == {"outbox": 10}


@pytest.fixture
async def text_reply(pool: asyncpg.Pool) -> Any:
    async with scripted_plugin() as plugin:
        yield plugin


async def test_the_key_of_a_message_lives_as_long_as_the_message(
    pool: asyncpg.Pool, database: str, valkey: str, text_reply: ScriptedPlugin
) -> None:
    async with running_api(pool, settings_for(database, valkey)) as api:
        await api.add_plugin(text_reply.url)
        user, kept, reset = await api.user(), uuid4(), uuid4()
        answers = {}
        for dialog in (kept, reset):
            for number in range(12):
                answer = await api.say(user, "Hello!", dialog, message_id=f"m-{number}")
                answers[dialog, number] = answer.raw
        body = {"user_id": user, "reason": "user_requested"}
        assert (await api.bot("POST", f"/api/v1/dialogs/{reset}/reset", json=body)).status == 200
        assert await removed(retention_of(pool)) == {}
        await age(pool, "message_keys", 30.1)
        retention = retention_of(pool)
        assert await counted(retention) == {"message_keys": 12}
        assert await removed(retention) == {"message_keys": 12}
        calls = len(text_reply.calls)
        for number in range(12):  # those that are still there are answered as before
            answer = await api.say(user, "Hello!", kept, message_id=f"m-{number}")
            assert answer.headers["Idempotency-Replayed"] == "true"
            assert answer.raw == answers[kept, number]
        assert len(text_reply.calls) == calls
        answer = await api.say(user, "Hello!", reset, message_id="m-0")  # taken as new
        assert (answer.status, len(text_reply.calls)) == (200, calls + 1)


async def test_many_may_remove_at_once(pool: asyncpg.Pool) -> None:
    plugin_id = await make_plugin(pool)
    for _ in range(120):
        await happen(pool, plugin_id)
    await numbered(pool)
    await age(pool, "audit_logs", 366)
    await age(pool, "feed", 31, "position > 0")
    done = await asyncio.gather(*(removed(retention_of(pool)) for _ in range(4)))
    total = sum((Counter(each) for each in done), Counter())
    assert total == {"plugin_events": 120, "audit_logs": 120}
    assert await pool.fetchval("SELECT count(*) FROM feed") == 1


async def test_a_worker_removes_and_counts(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retentions, "PAUSE_SECONDS", 0.0)
    plugin_id = await make_plugin(pool)
    for _ in range(25):
        await happen(pool, plugin_id)
    await age(pool, "audit_logs", 366)
    metrics = make_metrics()
    retention = retention_of(pool, retention_every_seconds=0.01)
    task = asyncio.create_task(RetentionTask(retention, metrics).run())

    def counted() -> float:
        name, labels = "botcore_rows_removed_total", {"table": "audit_logs"}
        return metrics.registry.get_sample_value(name, labels) or 0

    async with asyncio.timeout(PATIENT_SECONDS):
        while counted() < 25:  # noqa: ASYNC110  # no event tells of it
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert counted() == 25
    assert not await pool.fetchval("SELECT EXISTS (SELECT FROM audit_logs)")


@pytest.mark.parametrize(
    ("name", "value"),
    [("audit_days", 179), ("events_days", 0), ("keys_days", 0), ("batch", 0)],
)
def test_less_than_was_promised_is_refused(name: str, value: int) -> None:
    given: dict[str, Any] = {f"retention_{name}": value}
    with pytest.raises(ValidationError):
        RetentionSettings(**given)


async def test_the_command_counts_or_removes_and_says_so(
    pool: asyncpg.Pool, database: str, tmp_path: Path
) -> None:
    plugin_id: UUID = await make_plugin(pool)
    for _ in range(3):
        await happen(pool, plugin_id)
    await age(pool, "audit_logs", 200)
    env = {"BOTCORE_DATABASE_URL": database, "BOTCORE_RETENTION_AUDIT_DAYS": "180"}
    dry = await botcore("retention", "--dry-run", env=env, directory=tmp_path)
    assert (dry.code, dry.out.splitlines()[2]) == (0, "audit_logs: 3 rows would be removed")
    assert await pool.fetchval("SELECT count(*) FROM audit_logs") == 3
    done = await botcore("retention", env=env, directory=tmp_path)
    assert done.out.splitlines() == [
        "outbox: 0 rows removed",
        "plugin_events: 0 rows removed",
        "audit_logs: 3 rows removed",
        "message_keys: 0 rows removed",
    ]
    env["BOTCORE_RETENTION_AUDIT_DAYS"] = "179"
    refused = await botcore("retention", env=env, directory=tmp_path)
    assert refused.code == 2
    assert "BOTCORE_RETENTION_AUDIT_DAYS" in refused.err
