"""An outage of a model as the core tells it: in the outbox, in the audit log, and once."""

import asyncio

import asyncpg
from structlog.testing import capture_logs

from generated.metrics import Metrics, make_metrics
from generated.runtime import emits, trace
from impl.db import open_pool
from impl.llm.availability import Bounds
from impl.llm.errors import LLMError
from impl.llm.outages import Outages
from tests.fake_llm import KEY, FakeLLM, fails
from tests.integration.llm.clients import MEANINGS, router
from tests.published import undeclared
from tests.stack import settings_for
from tests.wire import proxy_before

TEXT = "canary of what a user said"
REQUEST = "0c9de8f2-33c8-4a2b-8cf2-0f3a26c7e6a1"


async def outage(llm: FakeLLM, outages: Outages, calls: int = 5) -> None:
    """Found by a request that itself may publish nothing."""
    llm.will(fails(500))
    llm.healthy = False
    async with router(llm, bounds=Bounds(calls=2), on_outage=outages.tell) as found:
        for number in range(calls):
            try:
                await found.classify(f"{TEXT} {number}", MEANINGS, subsystem="routing")
            except LLMError:
                continue


async def published(pool: asyncpg.Pool) -> asyncpg.Record:
    async with asyncio.timeout(20):
        while (row := await pool.fetchrow("SELECT * FROM outbox")) is None:  # noqa: ASYNC110  # no event tells of it
            await asyncio.sleep(0.01)
    return row


def fired(metrics: Metrics) -> float | None:
    labels = {"trigger": "TR-005"}
    return metrics.registry.get_sample_value("botcore_triggers_fired_total", labels)


async def test_it_is_published_once_and_without_a_word(
    pool: asyncpg.Pool, database: str, valkey: str, llm: FakeLLM
) -> None:
    settings = settings_for(database, valkey)
    core = await open_pool(settings)
    metrics = make_metrics()
    outages = Outages(core, metrics)

    async def request() -> None:
        emits.enter(frozenset())
        trace.enter(REQUEST)
        await outage(llm, outages)

    await asyncio.create_task(request())
    row = await published(pool)
    async with asyncio.timeout(20):
        while fired(metrics) != 1:  # noqa: ASYNC110  # no event tells of it
            await asyncio.sleep(0.01)
    await outages.close()
    await core.close()
    body = row["body"]
    assert row["stream"] == "plugin:events"
    assert (body["event_type"], body["source"], body["severity"]) == (
        "llm_unavailable",
        "core",
        "warning",
    )
    assert (body["plugin_id"], body["dialog_id"]) == (None, None)
    assert body["trace_id"] != REQUEST
    assert body["payload"] == {
        "provider": "openai",
        "fallback": "local",
        "availability": 0,
        "window_seconds": 300,
        "calls": 2,
        "error": {
            "code": "unavailable",
            "message": "The model's server cannot be reached, or failed.",
            "provider": "openai",
            "retryable": True,
        },
    }
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 1
    audit = await pool.fetchrow("SELECT * FROM audit_logs WHERE action = 'llm_unavailable'")
    assert audit["severity"] == "warning"
    for text in (str(body), str(audit["details"])):
        assert TEXT not in text
        assert KEY not in text
    assert await undeclared(pool, settings) == []


async def test_it_waits_for_a_database_that_is_away(
    pool: asyncpg.Pool, database: str, valkey: str, llm: FakeLLM
) -> None:
    async with proxy_before(database) as proxy:
        core = await open_pool(settings_for(proxy.dsn, valkey))
        outages = Outages(core, make_metrics(), again_seconds=0.02)
        proxy.cut()
        with capture_logs() as logs:
            await outage(llm, outages)
            async with asyncio.timeout(20):
                while not any(line["event"] == "llm_outage_waits" for line in logs):  # noqa: ASYNC110  # no event tells of it
                    await asyncio.sleep(0.01)
        assert await pool.fetchval("SELECT count(*) FROM outbox") == 0
        proxy.mend()
        row = await published(pool)
        await outages.close()
        core.terminate()
    assert row["body"]["event_type"] == "llm_unavailable"
