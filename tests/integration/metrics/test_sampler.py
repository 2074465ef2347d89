"""Queues and streams as they are read from the database, and what happens when they cannot be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from generated.metrics import Metrics, make_metrics
from impl import app
from impl.db import Pool, open_pool
from impl.degraded.gate import Gate
from impl.metrics import queries, sampler
from impl.metrics.exposition import watch_pool
from impl.metrics.queries import SAMPLE, Sample, read_sample
from impl.metrics.sampler import Sampler, stream_label
from impl.redis import request_client
from impl.settings import Settings
from tests.integration.tables.rows import fill
from tests.patience import PATIENT_SECONDS
from tests.scrape import read
from tests.stack import running_api, settings_for
from tests.wire import Proxy, proxy_before

OUTBOX = """
INSERT INTO outbox (event_id, stream, body, created_at, position, published_at)
SELECT gen_random_uuid(), $1, '{}', now() - make_interval(secs => $3), $4, $5
FROM generate_series(1, $2)
"""
CALLS = """
INSERT INTO plugin_calls (plugin_id, dialog_id, invocation_id, request_payload, trace_id, status,
    lease_until)
SELECT plugins.id, dialogs.id, gen_random_uuid(), '{}', gen_random_uuid(), $1,
    now() + make_interval(secs => $3)
FROM plugins, dialogs, generate_series(1, $2)
"""


@pytest.fixture
def metrics() -> Metrics:
    return make_metrics()


@pytest_asyncio.fixture
async def proxy(database: str) -> AsyncIterator[Proxy]:
    async with proxy_before(database) as running:
        yield running


@pytest_asyncio.fixture
async def own_pool(proxy: Proxy, valkey: str) -> AsyncIterator[Pool]:
    """The core's own kind of pool, by a line that can be cut."""
    opened = await open_pool(settings_for(proxy.dsn, valkey, database_pool_size=2))
    yield opened
    opened.terminate()


@pytest_asyncio.fixture
async def sampled(own_pool: Pool, settings: Settings, metrics: Metrics) -> AsyncIterator[Sampler]:
    """A sampler that asks each time."""
    async with AsyncExitStack() as stack:
        redis = request_client(settings)
        stack.push_async_callback(redis.aclose)
        made = Sampler(
            own_pool, Gate(redis, settings.redis_timeout_seconds), metrics, every_seconds=0
        )
        stack.push_async_callback(made.close)
        yield made


def shown(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"botcore_{name}", labels)


async def test_queues_and_lags_are_those_of_the_database(
    connection: asyncpg.Connection, sampled: Sampler, metrics: Metrics
) -> None:
    await fill(connection)
    await connection.execute("DELETE FROM plugin_calls; DELETE FROM outbox")
    await connection.execute(CALLS, "queued", 3, 60.0)
    await connection.execute(CALLS, "in_progress", 5, 60.0)
    await connection.execute(CALLS, "in_progress", 2, -60.0)
    await connection.execute(CALLS, "succeeded", 7, -60.0)
    plugin = "plugin:invocations:9d6f0c1e-8a55-4a0e-9a44-6c1a3f1b2c3d"
    other = "plugin:invocations:0b9f6a52-7f6f-4f3e-8f3c-5d1f7f5f2a11"
    await connection.execute(OUTBOX, plugin, 4, 30.0, None, None)
    await connection.execute(OUTBOX, other, 1, 90.0, None, None)
    await connection.execute(OUTBOX, "plugin:events", 1, 10.0, 7, None)
    now = await connection.fetchval("SELECT now()")
    await connection.execute(OUTBOX, "plugin:events", 1, 999.0, 6, now)  # published
    await sampled.refresh()
    depths = {queue: shown(metrics, "queue_depth", queue=queue)
              for queue in ("calls", "lost_calls", "outbox", "notifications")}  # fmt: skip
    assert depths == {"calls": 3, "lost_calls": 2, "outbox": 6, "notifications": 1}
    assert shown(metrics, "scaling_alert") == 1
    lag = {stream: shown(metrics, "stream_lag_seconds", stream=stream) or 0
           for stream in sampler.STREAMS}  # fmt: skip
    assert 90 <= lag["plugin:invocations"] < 90 + PATIENT_SECONDS  # and not the other's 30
    assert 10 <= lag["plugin:events"] < 10 + PATIENT_SECONDS  # and not the 999 of the published
    assert lag["dialog:events"] == 0
    assert (shown(metrics, "sample_age_seconds") or 0) < PATIENT_SECONDS
    assert shown(metrics, "dependency_up", dependency="database") == 1
    assert shown(metrics, "dependency_up", dependency="redis") == 1


async def test_a_queue_is_counted_no_further_than_so_far(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MOST", 10)
    await connection.execute(OUTBOX, "plugin:events", 8, 0.0, None, None)
    assert (await read_sample(connection, PATIENT_SECONDS)).outbox == 8
    await connection.execute(OUTBOX, "dialog:events", 8, 0.0, None, None)
    assert (await read_sample(connection, PATIENT_SECONDS)).outbox == 10


async def test_a_sample_reads_no_table_whole(connection: asyncpg.Connection) -> None:
    """However much has been published and answered: only what waits costs, and the few plugins."""
    await fill(connection)
    await connection.execute(
        """INSERT INTO outbox (event_id, stream, body, position, published_at)
        SELECT gen_random_uuid(), 'plugin:events', '{}', number, now()
        FROM generate_series(1, 20000) AS number"""
    )
    await connection.execute(CALLS, "succeeded", 20000, -60.0)
    await connection.execute(OUTBOX, "dialog:events", 20, 0.0, None, None)
    for analysed in (False, True):
        if analysed:
            await connection.execute("ANALYZE outbox; ANALYZE plugin_calls")
        rows = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {SAMPLE}", queries.MOST)
        plan = "\n".join(row[0] for row in rows)
        assert "Seq Scan" not in plan.replace("Seq Scan on plugins ", ""), plan
        assert "Rows Removed by Filter: 20" not in plan, plan


async def test_many_scrapes_are_one_sample(
    sampled: Sampler, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One at a time, however many ask; and none before its time."""
    asked, begun, let_go = 0, asyncio.Event(), asyncio.Event()

    async def slow(_executor: object, _timeout: float) -> Sample:
        nonlocal asked
        asked += 1
        begun.set()
        await let_go.wait()
        return Sample(0, 0, asked, {})

    monkeypatch.setattr(sampler, "read_sample", slow)
    sampled.every_seconds = 3600
    waiting = [asyncio.create_task(sampled.refresh()) for _ in range(100)]
    await begun.wait()
    let_go.set()
    await asyncio.gather(*waiting)
    for _ in range(100):
        await sampled.refresh()
    assert asked == 1
    sampled.every_seconds = 0
    sampled._next = 0
    await sampled.refresh()
    assert asked == 2


async def test_a_scrape_waits_no_longer_than_a_moment(
    connection: asyncpg.Connection, sampled: Sampler, metrics: Metrics,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A table is locked: the sample goes on without the scrape, and ends when the table is free."""
    await sampled.refresh()
    monkeypatch.setattr(sampler, "SCRAPE_WAITS_SECONDS", 0.1)
    async with connection.transaction():
        await connection.execute("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE")
        await sampled.refresh()
        running = sampled._running
        assert running is not None, "the scrape waited for the end"
        assert shown(metrics, "queue_depth", queue="outbox") == 0  # the last that was read
        await sampled.refresh()
        assert sampled._running is running, "a second one was begun"
    await running
    assert shown(metrics, "dependency_up", dependency="database") == 1


async def test_a_sample_that_takes_too_long_is_given_up(
    connection: asyncpg.Connection, sampled: Sampler, metrics: Metrics,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A table is locked: the sample comes again when the table is free."""
    await sampled.refresh()
    with monkeypatch.context() as patch:
        patch.setattr(sampler, "DATABASE_SECONDS", 0.4)
        async with connection.transaction():
            await connection.execute("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE")
            await sampled.refresh()
            assert sampled._running is None
            assert shown(metrics, "dependency_up", dependency="database") == 0
    await sampled.refresh()
    assert shown(metrics, "dependency_up", dependency="database") == 1


async def test_without_the_database_the_last_sample_ages_and_is_left_out(
    proxy: Proxy, sampled: Sampler, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sampled.refresh()
    assert shown(metrics, "queue_depth", queue="outbox") == 0
    proxy.cut()
    await sampled.refresh()
    assert shown(metrics, "dependency_up", dependency="database") == 0
    assert shown(metrics, "queue_depth", queue="outbox") == 0
    age = shown(metrics, "sample_age_seconds") or 0
    monkeypatch.setattr(sampler, "STALE_SECONDS", 0)
    await sampled.refresh()
    assert shown(metrics, "queue_depth", queue="outbox") is None
    assert shown(metrics, "stream_lag_seconds", stream="plugin:events") is None
    assert (shown(metrics, "sample_age_seconds") or 0) > age
    monkeypatch.setattr(sampler, "STALE_SECONDS", 60)
    proxy.mend()
    await sampled.refresh()
    assert shown(metrics, "dependency_up", dependency="database") == 1
    assert shown(metrics, "queue_depth", queue="outbox") == 0


async def test_a_pool_that_is_used_up_leaves_the_scrape_working(
    own_pool: Pool, sampled: Sampler, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampler, "DATABASE_SECONDS", 0.1)
    async with own_pool.acquire(), own_pool.acquire():
        await sampled.refresh()
    assert shown(metrics, "dependency_up", dependency="database") == 0


async def test_without_redis_the_database_is_still_read(
    own_pool: Pool, metrics: Metrics, unused_tcp_port: int
) -> None:
    redis = Redis(port=unused_tcp_port)
    asked = Sampler(own_pool, Gate(redis, 0.25), metrics)
    await asked.refresh()
    assert shown(metrics, "dependency_up", dependency="redis") == 0
    assert shown(metrics, "dependency_up", dependency="database") == 1
    assert shown(metrics, "queue_depth", queue="calls") == 0
    await redis.aclose()


async def test_a_mistake_of_ours_ends_no_scrape(
    sampled: Sampler, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "SAMPLE", "SELECT nothing FROM nowhere")
    await sampled.refresh()
    assert shown(metrics, "dependency_up", dependency="redis") == 1
    assert shown(metrics, "queue_depth", queue="calls") is None
    monkeypatch.undo()
    await sampled.refresh()
    assert shown(metrics, "queue_depth", queue="calls") == 0


async def test_the_pools_connections_are_shown(own_pool: Pool, metrics: Metrics) -> None:
    watch_pool(metrics, own_pool)
    assert shown(metrics, "database_connections_limit") == 2
    async with own_pool.acquire():
        async with own_pool.acquire():
            assert shown(metrics, "database_connections", state="used") == 2
        assert shown(metrics, "database_connections", state="used") == 1
        assert shown(metrics, "database_connections", state="idle") == 1
    assert shown(metrics, "database_connections", state="idle") == 2


async def test_a_hundred_scrapes_over_http_ask_the_database_once(
    pool: asyncpg.Pool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def counting(executor: object, timeout_seconds: float) -> Sample:
        nonlocal asked
        asked += 1
        return await read_sample(executor, timeout_seconds)

    monkeypatch.setattr(sampler, "read_sample", counting)
    monkeypatch.setattr(app, "Sampler", partial(Sampler, every_seconds=3600))
    async with running_api(pool, settings) as api:
        answers = await asyncio.gather(*(api.send("GET", "/metrics") for _ in range(100)))
    assert {answer.status for answer in answers} == {200}
    assert all(read(a.raw).value("botcore_queue_depth", queue="outbox") == 0 for a in answers)
    assert asked == 1


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("plugin:events", "plugin:events"),
        ("plugin:invocations:9d6f0c1e-8a55-4a0e-9a44-6c1a3f1b2c3d", "plugin:invocations"),
        ("dialog:events", "dialog:events"),
        ("dialog:eventsmore", "dialog:eventsmore"),
    ],
)
def test_the_kind_of_a_stream(key: str, label: str) -> None:
    assert stream_label(key) == label
