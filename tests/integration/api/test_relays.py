"""Several relays as processes: one that stands still, and goes on when others did its work."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from impl.events.streams import Entry, append
from impl.redis import relay_client
from impl.settings import Settings
from tests.integration.api.test_relay import add_events, entries, heartbeat, relay_of
from tests.integration.cli.commands import end, start
from tests.patience import PATIENT_SECONDS
from tests.stack import Api
from tests.wire import Line, _serving

STREAM = "plugin:events"


@dataclass
class Halting(Line):
    """Before Redis: the first batch on its way comes to a halt here, and arrives when it is let."""

    halted: asyncio.Event = field(default_factory=asyncio.Event)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool = False
    ) -> None:
        while data := await reader.read(2**20):
            self.asked += asks
            if b"EVALSHA" in data and not self.halted.is_set():
                self.stall()
                self.halted.set()
            await self.flowing.wait()
            writer.write(data)
        writer.close()


@pytest_asyncio.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    client = relay_client(settings)
    await client.flushall()
    yield client
    await client.aclose()


@asynccontextmanager
async def worker(
    settings: Settings, redis_url: str, folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`botcore worker`, which must end well when it is told to."""
    environment = {
        "BOTCORE_DATABASE_URL": settings.database_url.get_secret_value(),
        "BOTCORE_REDIS_URL": redis_url,
        "BOTCORE_SECRET_KEY": settings.secret_key.get_secret_value(),
        "BOTCORE_RELAY_BATCH": "50",
        "BOTCORE_DEGRADED_LAG_SECONDS": "3600",  # no event but the test's own
    }
    process = await start("worker", env=environment, directory=folder)
    try:
        yield process
        process.terminate()
        assert (await end(process)).code == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def published(pool: asyncpg.Pool) -> None:
    unsent = "SELECT EXISTS (SELECT FROM outbox WHERE published_at IS NULL)"
    async with asyncio.timeout(PATIENT_SECONDS):
        while await pool.fetchval(unsent):  # noqa: ASYNC110  # processes of others do it
            await asyncio.sleep(0.02)


async def test_a_relay_that_is_frozen_amid_a_batch_leaves_no_gap_and_changes_no_order(
    api: Api, pool: asyncpg.Pool, redis: Redis, settings: Settings, tmp_path: Path
) -> None:
    url = settings.redis_url.get_secret_value()
    parts = urlsplit(url)
    line = Halting((parts.hostname or "", parts.port or 0))
    await add_events(pool, range(120))
    async with _serving(line, url), worker(settings, line.url, tmp_path) as frozen:
        async with asyncio.timeout(PATIENT_SECONDS):
            await line.halted.wait()
        frozen.send_signal(signal.SIGSTOP)
        try:
            async with worker(settings, url, tmp_path):
                await published(pool)  # the lock of the frozen one ends with its session
                await add_events(pool, range(120, 200))
                await published(pool)
                line.mend()  # what the frozen one had sent arrives
                frozen.send_signal(signal.SIGCONT)
                await add_events(pool, range(200, 300))
                await published(pool)
        finally:
            os.kill(frozen.pid, signal.SIGCONT)
        await add_events(pool, range(300, 320))  # by the one that was frozen
        await published(pool)
    found = await entries(redis, STREAM)
    assert [f'"queue_depth":{number}' in fields["payload"].replace(" ", "")
            for number, (_, fields) in enumerate(found)] == [True] * 320  # fmt: skip
    assert len({fields["event_id"] for _, fields in found}) == 320


async def test_a_batch_that_comes_too_late_leaves_no_gap_in_a_stream_that_was_flushed(
    api: Api, pool: asyncpg.Pool, redis: Redis
) -> None:
    """Its sender knew nine entries; of these Redis has lost some since, and others fill them in."""
    with pytest.raises(ResponseError, match="BEHIND"):
        await append(redis, STREAM, 9, [Entry(10, "its id", heartbeat(10))])
    assert await entries(redis, STREAM) == []
    await add_events(pool, range(3))
    assert await relay_of(pool, redis).drain_once() == 3


async def test_redis_away_delays_no_place_in_the_feed(
    api: Api, pool: asyncpg.Pool, unused_tcp_port: int
) -> None:
    await add_events(pool, range(3))
    away = Redis(port=unused_tcp_port)
    task = asyncio.create_task(relay_of(pool, away).run())
    try:
        async with asyncio.timeout(PATIENT_SECONDS):
            while await pool.fetchval("SELECT count(*) FROM feed") < 4:  # noqa: ASYNC110  # and the mark
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await away.aclose()
    assert await pool.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL") == 3
