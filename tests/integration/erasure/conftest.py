"""An API whose Redis is this file's alone, a plugin, and what a worker does of an erasure."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from generated.metrics import make_metrics
from impl.degraded.gate import Gate
from impl.erasure.eraser import Eraser
from impl.events.comparison.stream import compare
from impl.events.relay import Relay
from impl.notifications.collecting import Collector
from impl.redis import relay_client
from impl.settings import Settings
from impl.tokens.issue import issue
from impl.tokens.scopes import ADMIN_SCOPES
from tests.stack import (
    BOT_SCOPES,
    Answer,
    Api,
    ScriptedPlugin,
    manifest,
    running_api,
    scripted_plugin,
    settings_for,
)

DATABASE = 7  # of the server that other tests share


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(database, urlunsplit(urlsplit(valkey)._replace(path=f"/{DATABASE}")))


@pytest_asyncio.fixture
async def api(pool: asyncpg.Pool, settings: Settings) -> AsyncIterator[Api]:
    async with running_api(pool, settings) as running:
        yield running


@pytest_asyncio.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    client = relay_client(settings)
    await client.flushdb()
    yield client
    await client.aclose()


@dataclass
class Reporting:
    """The fallback plugin, with the token by which it reports."""

    plugin: ScriptedPlugin
    id: str
    token: str
    api: Api

    async def report(self, event_id: object, dialog: object, text: str) -> Answer:
        body = {
            "event_id": str(event_id),
            "plugin_id": self.id,
            "dialog_id": str(dialog),
            "event_type": "plugin_custom_said",
            "severity": "info",
            "payload": {"text": text},
            "occurred_at": "2026-11-22T10:15:30Z",
        }
        headers = {"Authorization": f"Bearer {self.token}"}
        path = f"/api/v1/plugins/{self.id}/events"
        return await self.api.send("POST", path, json=body, headers=headers)


@pytest_asyncio.fixture
async def reporting(api: Api, redis: Redis) -> AsyncIterator[Reporting]:
    """Registered once the streams are empty."""
    async with scripted_plugin() as plugin:
        scopes = ["telemetry:write"]
        described = manifest("text_reply") | {"auth": {"type": "bearer", "scopes": scopes}}
        body = {"name": "text_reply", "version": "1.0.0", "base_url": plugin.url,
                "manifest": described, "scopes": scopes}  # fmt: skip
        made = (await api.register(body)).json
        yield Reporting(plugin, made["plugin_id"], made["token"], api)


@dataclass
class Bot:
    """Another bot of the same API, with users of its own."""

    api: Api
    token: str

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        headers = {"X-Bot-Token": self.token}
        return await self.api.send(method, f"/api/v1{path}", headers=headers, **options)


@pytest_asyncio.fixture
async def other(api: Api, pool: asyncpg.Pool) -> Bot:
    bot_id = await pool.fetchval("INSERT INTO bots (name) VALUES ('other') RETURNING id")
    return Bot(api, (await issue(pool, "bot", subject_id=bot_id, scopes=BOT_SCOPES)).plaintext)


@dataclass
class Operator:
    api: Api
    key: str
    key_id: str

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        headers = {"X-Admin-Key": self.key}
        return await self.api.send(method, f"/api/v1{path}", headers=headers, **options)


@pytest_asyncio.fixture
async def operator(api: Api, pool: asyncpg.Pool) -> Operator:
    key = await issue(pool, "admin", scopes=sorted(ADMIN_SCOPES))
    return Operator(api, key.plaintext, key.id)


@dataclass
class Worker:
    """Its tasks, of which none runs by itself."""

    eraser: Eraser
    relay: Relay
    collector: Collector
    pool: asyncpg.Pool
    redis: Redis

    async def erase(self) -> int:
        """All that can be removed now. Returns the number of steps."""
        steps = 0
        while await self.eraser.step():
            steps += 1
        return steps

    async def publish(self) -> None:
        while await self.relay.drain_once():
            pass

    async def differences(self) -> list[str]:
        """Of the streams from the tables."""
        reports = [report async for report in compare(self.pool, self.redis)]
        return [line for report in reports if report.differs for line in report.lines()]


@pytest.fixture
def worker(pool: asyncpg.Pool, redis: Redis, settings: Settings) -> Worker:
    metrics = make_metrics()
    return Worker(
        Eraser(pool, Gate(redis, 5.0), kept_seconds=0),
        Relay(pool, redis, batch=100, poll_seconds=0.01, metrics=metrics),
        Collector(pool, settings, metrics),
        pool,
        redis,
    )
