"""Workers that are killed amid deliveries: every event arrives at least once."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGKILL

import asyncpg
import pytest

from impl.settings import Settings
from tests.integration.notifications.conftest import Operator, publish, until
from tests.integration.notifications.receiver import Receiver
from tests.ports import spare_port
from tools.contract import ROOT

ROUNDS = 3
EACH = 40


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"notification_timeout_seconds": 2.0})


def environment(settings: Settings) -> dict[str, str]:
    """With a lease that is over soon after the kill: the database decides by `next_attempt_at`."""
    given = {
        "BOTCORE_DATABASE_URL": settings.database_url.get_secret_value(),
        "BOTCORE_REDIS_URL": settings.redis_url.get_secret_value(),
        "BOTCORE_SECRET_KEY": settings.secret_key.get_secret_value(),
        "BOTCORE_DEVELOPMENT": "true",
        "BOTCORE_NOTIFICATION_POLL_SECONDS": "0.02",
        "BOTCORE_NOTIFICATION_CONCURRENCY": "8",
        "BOTCORE_METRICS_PORT": str(spare_port()),
    }
    return {**os.environ, **given}


@asynccontextmanager
async def worker(settings: Settings, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "impl.cli", "worker", cwd=ROOT, env=environment(settings),
            stdout=out, stderr=out,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(SIGKILL)
            await process.wait()


async def test_each_event_arrives_whatever_is_killed(
    operator: Operator, hook: Receiver, settings: Settings, pool: asyncpg.Pool, tmp_path: Path
) -> None:
    await operator.subscribe(hook)
    log, sent = tmp_path / "worker.log", list[str]()
    for number in range(ROUNDS):
        async with worker(settings, log), worker(settings, log):
            sent += await publish(pool, EACH)
            wanted = number * EACH + EACH // 4
            await until(lambda wanted=wanted: len(hook.got) > wanted)
    # What the killed ones held is due when its lease is over; the test does not wait for that.
    await pool.execute(
        "UPDATE notification_deliveries SET next_attempt_at = now() WHERE status = 'pending'"
    )
    async with worker(settings, log):
        await until(lambda: {body["data"]["event_id"] for body in hook.got} >= set(sent))
    by_event = {body["data"]["event_id"]: hook.ids[i] for i, body in enumerate(hook.got)}
    for index, body in enumerate(hook.got):
        assert hook.ids[index] == by_event[body["data"]["event_id"]], "repeats have another id"
    assert hook.bad == 0
    text = log.read_text()
    assert '"event":"notification_delivered"' in text
    assert hook.secret.removeprefix("whsec_") not in text
    assert "whsec_" not in text
    assert hook.url not in text
    assert settings.secret_key.get_secret_value() not in text
