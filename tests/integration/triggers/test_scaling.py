"""TR-010: the alert for scaling is raised once, and ends when half of it is drained."""

import asyncio

import asyncpg
import pytest
import pytest_asyncio

from generated.metrics import make_metrics
from impl.metrics.queries import read_sample
from impl.settings import Settings
from impl.triggers.scaling import ScalingAlert
from tests.integration.notifications.conftest import Operator, Worker
from tests.integration.notifications.receiver import Receiver
from tests.stack import settings_for

QUEUED = """
INSERT INTO plugin_calls (plugin_id, dialog_id, invocation_id, request_payload, trace_id)
SELECT plugins.id, dialogs.id, gen_random_uuid(), '{}', gen_random_uuid()
FROM plugins, dialogs, generate_series(1, $1)
"""
WAITING = """
INSERT INTO outbox (event_id, stream, body)
SELECT gen_random_uuid(), 'plugin:invocations:' || plugins.id, '{}'
FROM plugins, generate_series(1, $1)
"""
KEEP = """
DELETE FROM plugin_calls WHERE id NOT IN (SELECT id FROM plugin_calls ORDER BY seq LIMIT $1)
"""


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(database, valkey, scaling_alert_entries=20)


@pytest_asyncio.fixture
async def alert(pool: asyncpg.Pool, settings: Settings) -> ScalingAlert:
    for statement in (
        "INSERT INTO bots (name) VALUES ('bot')",
        "INSERT INTO users (telegram_id) VALUES (7)",
        """INSERT INTO plugins (name, version, base_url, manifest, manifest_hash)
        VALUES ('echo', '1.0.0', 'http://localhost:1', '{}', 'abc')""",
        "INSERT INTO dialogs (bot_id, user_id) SELECT bots.id, users.id FROM bots, users LIMIT 1",
    ):
        await pool.execute(statement)
    return ScalingAlert(pool, settings, make_metrics())


async def told(pool: asyncpg.Pool) -> list[tuple[str, int, int]]:
    rows = await pool.fetch("SELECT body FROM outbox WHERE stream = 'plugin:events' ORDER BY id")
    return [
        (body["event_type"], body["payload"]["waiting_calls"], body["payload"]["waiting_entries"])
        for body in (row["body"] for row in rows)
    ]


async def test_it_is_raised_once_and_ends_at_half(alert: ScalingAlert, pool: asyncpg.Pool) -> None:
    await pool.execute(QUEUED, 20)
    await alert.look()
    assert await told(pool) == []
    await pool.execute(WAITING, 1)
    for _ in range(3):
        await alert.look()
    assert await told(pool) == [("scaling_alert", 20, 1)]
    assert (await read_sample(pool, 5)).scaling_alert
    await pool.execute(KEEP, 10)
    await alert.look()
    assert len(await told(pool)) == 1, "it ended above the half"
    await pool.execute("UPDATE outbox SET position = id, published_at = now() WHERE body = '{}'")
    for _ in range(3):
        await alert.look()
    assert (await told(pool))[1:] == [("scaling_alert_ended", 10, 0)]
    assert not (await read_sample(pool, 5)).scaling_alert
    await pool.execute(QUEUED, 11)
    await alert.look()
    assert (await told(pool))[2:] == [("scaling_alert", 21, 0)]
    value = alert.metrics.registry.get_sample_value
    assert value("botcore_triggers_fired_total", {"trigger": "TR-010"}) == 2


async def test_calls_that_wait_for_their_time_need_no_worker(
    alert: ScalingAlert, pool: asyncpg.Pool
) -> None:
    await pool.execute(QUEUED, 50)
    await pool.execute("UPDATE plugin_calls SET available_at = now() + interval '1 minute'")
    await pool.execute(
        "INSERT INTO outbox (event_id, stream, body)"
        " SELECT gen_random_uuid(), 'dialog:events', '{}' FROM generate_series(1, 50)"
    )
    await alert.look()
    assert await told(pool) == []


async def test_several_workers_tell_it_once(
    alert: ScalingAlert, pool: asyncpg.Pool, settings: Settings
) -> None:
    await pool.execute(QUEUED, 21)
    others = [ScalingAlert(pool, settings, make_metrics()) for _ in range(5)]
    await asyncio.gather(*(each.look() for each in (alert, *others)))
    assert len(await told(pool)) == 1


async def test_subscribers_are_told(  # fixtures
    operator: Operator, hook: Receiver, alert: ScalingAlert, worker: Worker, pool: asyncpg.Pool
) -> None:
    await operator.subscribe(hook)
    await pool.execute(QUEUED, 21)
    await alert.look()
    await pool.execute("DELETE FROM plugin_calls")
    await alert.look()
    await worker.once()
    assert hook.types == {"scaling_alert": 1}, "its end is no warning"
