"""An API, an operator who subscribes, a receiver, and what a worker runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from generated.metrics import Metrics, make_metrics
from impl.db import open_pool
from impl.notifications.collecting import Collector
from impl.notifications.sending import Sender
from impl.notifications.signing import Secrets
from impl.outgoing.client import Guard, OutgoingClient
from impl.settings import Settings
from impl.tokens.issue import issue
from impl.tokens.scopes import ADMIN_SCOPES
from tests.integration.notifications.receiver import Receiver, receiver
from tests.patience import PATIENT_SECONDS
from tests.stack import Answer, Api, ScriptedPlugin, running_api, scripted_plugin, settings_for

SUBSCRIPTIONS = "/notifications/subscriptions"


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(
        database,
        valkey,
        notification_poll_seconds=0.02,
        notification_retry_scale=0.001,
        notification_timeout_seconds=30.0,
        queue_poll_seconds=0.02,
        watch_seconds=0.02,
    )


@pytest_asyncio.fixture
async def api(pool: asyncpg.Pool, settings: Settings) -> AsyncIterator[Api]:
    async with running_api(pool, settings) as running:
        yield running


@pytest_asyncio.fixture
async def plugin() -> AsyncIterator[ScriptedPlugin]:
    async with scripted_plugin() as running:
        yield running


@pytest_asyncio.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as one:
        yield one


@dataclass
class Operator:
    """Sends what it is told with a key of every scope."""

    api: Api
    key: str

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        headers = {"X-Admin-Key": self.key}
        return await self.api.send(method, f"/api/v1{path}", headers=headers, **options)

    async def subscribe(self, hook: Receiver, **body: Any) -> Any:
        """The subscription; the receiver has its secret from now on."""
        made = await self.send("POST", SUBSCRIPTIONS, json={"url": hook.url, **body})
        assert made.status == 201, made.raw
        hook.secret = made.json["secret"]
        return made.json["subscription"]

    async def of(self, subscription: dict[str, Any], way: str = "", method: str = "GET",
                 **options: Any) -> Answer:  # fmt: skip
        path = f"{SUBSCRIPTIONS}/{subscription['id']}{way}"
        return await self.send(method, path, **options)

    async def deliveries(self, subscription: dict[str, Any]) -> list[dict[str, Any]]:
        answer = await self.of(subscription, "/deliveries")
        assert answer.status == 200, answer.raw
        found: list[dict[str, Any]] = answer.json["items"]
        return found


@pytest_asyncio.fixture
async def operator(api: Api, pool: asyncpg.Pool) -> Operator:
    key = await issue(pool, "admin", scopes=sorted(ADMIN_SCOPES))
    return Operator(api, key.plaintext)


@dataclass
class Worker:
    """The tasks of notifications with resources of their own; nothing runs by itself."""

    collector: Collector
    sender: Sender
    metrics: Metrics

    async def once(self) -> int:
        """Everything that happened is collected, and what is due is sent."""
        await self.collector.collect()
        return await self.sender.send_due()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(loop.run()) for loop in (self.collector, self.sender)]
        try:
            yield
        finally:
            for task in tasks:
                assert not task.done(), task.exception()
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


@asynccontextmanager
async def a_worker(settings: Settings) -> AsyncIterator[Worker]:
    async with AsyncExitStack() as stack:
        pool = await open_pool(settings)
        stack.push_async_callback(pool.close)
        metrics = make_metrics()
        client = OutgoingClient(settings, guard=Guard.of_webhooks(settings))
        stack.push_async_callback(client.close)
        secrets = Secrets(settings.secret_key.get_secret_value().encode())
        sender = Sender(pool, client, secrets, settings, metrics)
        yield Worker(Collector(pool, settings, metrics), sender, metrics)


@pytest_asyncio.fixture
async def worker(settings: Settings) -> AsyncIterator[Worker]:
    async with a_worker(settings) as one:
        yield one


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENT_SECONDS):
        while True:
            found = condition()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.01)


async def publish(pool: asyncpg.Pool, number: int = 1) -> list[str]:
    """So many events of the core, as their own statements would; their ids."""
    rows = await pool.fetch(
        """INSERT INTO outbox (event_id, stream, body)
        SELECT id, 'plugin:events', jsonb_build_object('event_id', id, 'event_type',
            'scaling_alert', 'source', 'core', 'severity', 'warning', 'plugin_id', NULL,
            'dialog_id', NULL, 'trace_id', gen_random_uuid(), 'occurred_at', now(), 'payload',
            jsonb_build_object('waiting_calls', number, 'waiting_entries', 0, 'threshold', 1))
        FROM (SELECT gen_random_uuid() AS id, number FROM generate_series(1, $1) AS number) AS new
        RETURNING event_id::text""",
        number,
    )
    return [row["event_id"] for row in rows]
