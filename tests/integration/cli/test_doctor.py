"""`botcore doctor` sees each thing that is wrong, and passes when nothing is."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio
from pydantic import SecretStr
from redis.asyncio import Redis

from impl.doctor import redis as redis_checks
from impl.doctor.examination import Patient, examine
from impl.doctor.finding import Finding, all_good
from impl.settings import Settings
from tests.integration.cli.commands import botcore
from tests.integration.plugins.rows import add
from tests.servers import valkey_server
from tests.wire import line_before

DIALOG = """
WITH bot AS (INSERT INTO bots (name) VALUES ('bot') RETURNING id),
    person AS (INSERT INTO users (telegram_id) VALUES (7) RETURNING id)
INSERT INTO dialogs (bot_id, user_id) SELECT bot.id, person.id FROM bot, person
"""
SECRET = "Tq8-zX2_vB5nM7kL0pR3sW6yH9dF1gJ4"


@pytest_asyncio.fixture(scope="session")
async def own_valkey() -> AsyncIterator[str]:
    """A server that only these tests use: they fill it and make it a replica."""
    async with valkey_server() as url:
        yield url


@dataclass
class Case:
    """A deployment in which all is well, for a test to break."""

    pool: asyncpg.Pool
    redis: Any
    settings: Settings

    def patient(self, **changes: Any) -> Patient:
        settings = self.settings.model_copy(update=changes)
        return Patient(
            settings.database_url.get_secret_value(),
            settings.redis_url.get_secret_value(),
            settings,
            [],
        )

    async def found(self, check: str) -> Finding:
        """The worst of that name."""
        findings = [each for each in await examine(self.patient()) if each.check == check]
        order = ("failed", "warning", "unchecked", "good")
        return min(findings, key=lambda each: order.index(each.status))


@pytest_asyncio.fixture
async def case(database: str, pool: asyncpg.Pool, own_valkey: str) -> AsyncIterator[Case]:
    settings = Settings(database_url=database, redis_url=own_valkey, secret_key=SECRET)
    await add(pool, "http://localhost:1", "text_reply")
    await pool.execute("UPDATE plugins SET status = 'active'")
    await pool.execute("UPDATE core_state SET looked_at = now()")
    async with Redis.from_url(own_valkey, decode_responses=True) as client:
        await client.flushall()
        await client.hset("dialog:state:one", "last_plugin_id", "x")
        await client.expire("dialog:state:one", 600)
        await client.hset("rate:bot:one", mapping={"quota": 5, "window": 60})
        await client.set("rate:bot:one:bucket", "1:1", px=60_000)
        await client.set("rate:filled", 1)
        yield Case(pool, client, settings)


async def test_where_all_is_well_it_passes(case: Case) -> None:
    found = await examine(case.patient())
    assert [each.lines() for each in found if each.status != "good"] == []
    assert all_good(found)
    assert {each.check for each in found} == {
        "settings", "database", "migrations", "connections", "workers", "mode", "streams",
        "outbox", "queue", "fallback", "plugins", "redis", "latency", "expiries", "clock",
    }  # fmt: skip


async def an_event_waits(case: Case) -> None:
    await case.pool.execute(
        "INSERT INTO outbox (event_id, stream, body, created_at)"
        " VALUES (gen_random_uuid(), 'plugin:events', '{}', now() - interval '90 seconds')"
    )


async def many_events_wait(case: Case) -> None:
    await case.pool.execute(
        "INSERT INTO outbox (event_id, stream, body)"
        " SELECT gen_random_uuid(), 'plugin:events', '{}' FROM generate_series(1, 1001)"
    )


def calls(values: str, times: int = 1) -> Callable[[Case], Awaitable[None]]:
    async def waiting(case: Case) -> None:
        await case.pool.execute(DIALOG)
        await case.pool.execute(
            "INSERT INTO plugin_calls (plugin_id, dialog_id, invocation_id, request_payload,"
            " trace_id, status, queued_at, available_at, lease_until)"
            " SELECT plugins.id, dialogs.id, gen_random_uuid(), '{}', gen_random_uuid(),"
            f" {values} FROM plugins, dialogs, generate_series(1, {times})"
        )

    return waiting


def sql(*statements: str) -> Callable[[Case], Awaitable[None]]:
    async def change(case: Case) -> None:
        for statement in statements:
            await case.pool.execute(statement)

    return change


def key(name: str, seconds: int | None) -> Callable[[Case], Awaitable[None]]:
    async def change(case: Case) -> None:
        await case.redis.set(name, "1", ex=seconds)

    return change


BROKEN: dict[str, tuple[Callable[[Case], Awaitable[None]], str, str, str]] = {
    "no tables": (sql("DROP TABLE migrations_info"), "migrations", "failed", "no tables yet"),
    "older tables": (
        sql("UPDATE migrations_info SET version_num = '0001'"),
        "migrations", "failed", "at 0001 of ",
    ),
    "newer tables": (
        sql("UPDATE migrations_info SET version_num = '9999'"),
        "migrations", "failed", "a newer one has migrated it",
    ),
    "a table is gone": (sql("DROP TABLE core_state"), "work", "failed", "UndefinedTableError"),
    "no worker": (
        sql("UPDATE core_state SET looked_at = now() - interval '1 minute'"),
        "workers", "failed", "for 6",
    ),
    "never a worker": (sql("DELETE FROM core_state"), "workers", "failed", "ever"),
    "degraded": (
        sql("UPDATE core_state SET degraded_since = now(), degraded_reason = 'lag'"),
        "mode", "failed", "reason lag",
    ),
    "late streams": (an_event_waits, "streams", "failed", "plugin:events is 9"),
    "a long outbox": (many_events_wait, "outbox", "warning", "1001 events wait"),
    "lost calls": (
        calls("'in_progress', NULL, now(), now() - interval '11 seconds'"),
        "queue", "failed", "1 were lost",
    ),
    "old calls": (
        calls("'queued', now() - interval '6 minutes', now(), NULL"),
        "queue", "failed", "the oldest for 36",
    ),
    "calls that nobody takes": (
        calls("'queued', now(), now() - interval '31 seconds', NULL"),
        "queue", "warning", "1 calls wait",
    ),
    "a long queue": (
        calls("'queued', now(), now(), NULL", 1001), "queue", "warning", "1001 calls wait",
    ),
    "a degraded fallback": (
        sql("UPDATE plugins SET status = 'degraded', outage_since = now(),"
            " outage_reason = 'health'"),
        "fallback", "warning", "is degraded",
    ),
    "an outage": (
        sql("UPDATE plugins SET outage_since = now(), outage_reason = 'health'"),
        "plugins", "warning", "degraded: text_reply@1.0.0 (health",
    ),
    "a disabled plugin": (
        sql("UPDATE plugins SET status = 'disabled', disabled_at = now()"),
        "plugins", "warning", "disabled: text_reply@1.0.0",
    ),
    "a plugin that never was well": (
        sql("UPDATE plugins SET status = 'registering'"),
        "plugins", "warning", "since their registration",
    ),
    "another manifest": (
        sql("UPDATE plugins SET served_manifest_hash = 'other'"),
        "plugins", "warning", "another manifest",
    ),
    "no fallback": (sql("DELETE FROM plugins"), "fallback", "failed", "no active plugin"),
    "a state for ever": (
        key("dialog:state:two", None), "expiries", "failed", "never expire, such as dialog:state",
    ),
    "a state for long": (
        key("dialog:state:two", 700), "expiries", "failed", "later than in 600 s",
    ),
    "a bucket for ever": (key("rate:user:1:bucket", None), "expiries", "failed", "rate buckets"),
    "a bucket for long": (key("rate:user:1:bucket", 90_000), "expiries", "failed", "86400 s"),
    "a filling for ever": (key("rate:filling:1", None), "expiries", "failed", "rate:filling"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
async def test_what_is_wrong_is_told_with_what_to_do(name: str, case: Case) -> None:
    spoil, check, status, text = BROKEN[name]
    await spoil(case)
    found = await case.found(check)
    assert (found.status, text in found.found) == (status, True), found
    assert found.advice


async def test_a_full_redis_is_told(case: Case) -> None:
    await case.redis.config_set("maxmemory", "1")
    try:
        found = await case.found("redis")
    finally:
        await case.redis.config_set("maxmemory", "0")
    assert (found.status, "maxmemory" in found.advice) == ("failed", True)


async def test_a_replica_is_told(case: Case) -> None:
    await case.redis.execute_command("REPLICAOF", "127.0.0.1", 1)
    try:
        found = await case.found("redis")
    finally:
        await case.redis.execute_command("REPLICAOF", "NO", "ONE")
    assert (found.status, "the primary" in found.advice) == ("failed", True)


async def test_a_redis_that_may_drop_streams_is_told(case: Case) -> None:
    await case.redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        found = await case.found("redis")
    finally:
        await case.redis.config_set("maxmemory-policy", "noeviction")
    assert (found.status, "allkeys-lru" in found.found) == ("failed", True)


async def test_a_slow_redis_is_told(case: Case) -> None:
    async with line_before(case.settings.redis_url.get_secret_value()) as line:
        line.slow(0.06)
        async with Redis.from_url(line.url, decode_responses=True) as slow:
            found = {each.check: each for each in await redis_checks.check(slow, 0.25)}
            assert found["latency"].status == "warning"
            found = {each.check: each for each in await redis_checks.check(slow, 0.05)}
            assert found["latency"].status == "failed"


@pytest.mark.parametrize(
    ("ahead", "status"), [(0.2, "good"), (1.5, "warning"), (-1.5, "warning"), (-3600, "failed")]
)
async def test_clocks_that_are_apart_are_told(
    ahead: float, status: str, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This machine's is set wrong: Redis' is not, and is not accused."""
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + ahead)
    found = [each for each in await examine(case.patient()) if each.check == "clock"]
    assert [each.status for each in found] == [status, "good"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"development": True}, "BOTCORE_DEVELOPMENT"),
        ({"heartbeat_missed_seconds": 30.0}, "BOTCORE_HEARTBEAT_MISSED_SECONDS"),
        ({"host": "0.0.0.0"}, "BOTCORE_METRICS_PORT"),
        ({"degraded_redis_seconds": 2.0}, "BOTCORE_DEGRADED_REDIS_SECONDS"),
        ({"secret_key": SecretStr("a" * 32)}, "BOTCORE_SECRET_KEY"),
        (
            {"host": "0.0.0.0", "accepted_risks": frozenset({"metrics_exposed"})},
            "accepted: BOTCORE_METRICS_PORT",
        ),
    ],
)
async def test_settings_that_are_seldom_meant_are_told(
    changes: dict[str, Any], text: str, case: Case
) -> None:
    found = [each for each in await examine(case.patient(**changes)) if each.check == "settings"]
    assert len(found) == 1
    assert text in found[0].found
    assert found[0].status != "good"


def environment(case: Case, **more: str) -> dict[str, str]:
    return {
        "BOTCORE_DATABASE_URL": case.settings.database_url.get_secret_value(),
        "BOTCORE_REDIS_URL": case.settings.redis_url.get_secret_value(),
        "BOTCORE_SECRET_KEY": SECRET,
        **more,
    }


class TestTheCommand:
    async def test_says_so_to_people_and_to_cron(self, case: Case, tmp_path: Path) -> None:
        ended = await botcore("doctor", env=environment(case), directory=tmp_path)
        assert (ended.code, ended.err) == (0, "")
        assert all(line.startswith("✓ ") for line in ended.out.splitlines())
        await case.pool.execute("UPDATE core_state SET looked_at = now() - interval '1 hour'")
        ended = await botcore("doctor", env=environment(case), directory=tmp_path)
        assert ended.code == 1
        assert "✗ workers     no worker has looked for 36" in ended.out
        assert "→ start `botcore worker`" in ended.out

    async def test_and_to_programs(self, case: Case, tmp_path: Path) -> None:
        await case.pool.execute("DELETE FROM plugins")
        ended = await botcore("doctor", "--json", env=environment(case), directory=tmp_path)
        told = json.loads(ended.out)
        assert (ended.code, told["good"]) == (1, False)
        (fallback,) = [each for each in told["checks"] if each["check"] == "fallback"]
        assert set(fallback) == {"check", "status", "found", "advice"}

    async def test_looks_at_all_that_is_there(self, case: Case, tmp_path: Path) -> None:
        gone = {"BOTCORE_REDIS_URL": "redis://:s3cret@127.0.0.1:1/0"}
        ended = await botcore("doctor", env=environment(case, **gone), directory=tmp_path)
        assert ended.code == 1
        assert "✗ redis       it cannot be used" in ended.out
        assert "· expiries" in ended.out
        assert "✓ migrations" in ended.out
        assert "s3cret" not in ended.out
        gone = {"BOTCORE_DATABASE_URL": "postgresql://me:s3cret@127.0.0.1:1/x"}
        ended = await botcore("doctor", env=environment(case, **gone), directory=tmp_path)
        assert ended.code == 1
        assert "✗ database    it cannot be reached" in ended.out
        assert "· queue" in ended.out
        assert "✓ expiries" in ended.out
        assert "s3cret" not in ended.out

    async def test_tells_what_no_process_would_start_with(self, case: Case, tmp_path: Path) -> None:
        wrong = environment(case, BOTCORE_SECRET_KEY="short", BOTCORE_PORT="-1")
        ended = await botcore("doctor", env=wrong, directory=tmp_path)
        assert ended.code == 1
        assert "✗ settings    BOTCORE_SECRET_KEY" in ended.out
        assert "✗ settings    BOTCORE_PORT" in ended.out
        assert "short" not in ended.out.replace("should", "")

    async def test_could_not_look_without_a_database(self, case: Case, tmp_path: Path) -> None:
        ended = await botcore("doctor", env={}, directory=tmp_path)
        assert (ended.code, ended.out) == (2, "")
        url = environment(case)["BOTCORE_DATABASE_URL"]
        for redis in ("nonsense", urlunsplit(urlsplit(url)._replace(scheme="redis", netloc="x:y"))):
            env = {"BOTCORE_DATABASE_URL": url, "BOTCORE_REDIS_URL": redis}
            ended = await botcore("doctor", env=env, directory=tmp_path)
            assert (ended.code, ended.out) == (2, "")
            assert "BOTCORE_REDIS_URL" in ended.err
