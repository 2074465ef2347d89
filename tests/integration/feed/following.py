"""Somebody who follows the events, as a browser's EventSource does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import asyncpg

from generated import models
from generated.metrics import make_metrics
from impl.events.queries import any_unnumbered
from impl.events.relay import Relay
from impl.events.wire import FEED, Wire
from impl.redis import relay_client
from impl.settings import Settings
from impl.telemetry.queries.reporting import Reported, report

PATH = "/api/v1/plugins/events/stream"
NO_LIMIT = aiohttp.ClientTimeout(total=None, sock_read=20)


@dataclass
class Told:
    """One event of a stream."""

    id: str
    event: str
    item: dict[str, Any]


@dataclass
class Follower:
    """Reads one stream after another; `last_id` is where the next one goes on."""

    session: aiohttp.ClientSession
    headers: dict[str, str]
    last_id: str | None = None
    told: list[Told] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    response: aiohttp.ClientResponse | None = None

    @asynccontextmanager
    async def connected(self, url: str, **query: Any) -> AsyncIterator[AsyncIterator[Told]]:
        """The events as they come; the stream has begun."""
        headers = dict(self.headers)
        if self.last_id is not None:
            headers["Last-Event-ID"] = self.last_id
        request = self.session.get(url + PATH, params=query, headers=headers, timeout=NO_LIMIT)
        async with request as self.response:
            assert self.response.status == 200, await self.response.text()
            events = self._events(self.response.content)
            first = await self._block(self.response.content)
            assert first is not None
            assert first["retry"] == "1000"
            self.last_id = first["id"]
            yield events

    async def _events(self, content: aiohttp.StreamReader) -> AsyncIterator[Told]:
        while (block := await self._block(content)) is not None:
            if "id" in block:
                self.last_id = block["id"]
            if "data" in block:
                told = Told(block["id"], block["event"], json.loads(block["data"]))
                self.told.append(told)
                yield told

    async def _block(self, content: aiohttp.StreamReader) -> dict[str, str] | None:
        """The fields of the next block; None at the stream's end."""
        fields: dict[str, str] = {}
        while line := (await content.readline()).decode():
            if line == "\n":
                return fields
            name, _, value = line.rstrip("\n").partition(":")
            if name:
                fields[name] = value.removeprefix(" ")
            else:
                self.comments.append(value.strip())
        return None


async def take(events: AsyncIterator[Told], count: int) -> list[Told]:
    return [await anext(events) for _ in range(count)]


async def happen(executor: Any, plugin_id: UUID, number: int = 0, **changed: Any) -> UUID:
    """The plugin reports one more event; in the executor's transaction, where it has one."""
    event_id = uuid4()
    body = {
        "event_id": event_id,
        "plugin_id": plugin_id,
        "dialog_id": None,
        "event_type": "plugin_custom_paid",
        "severity": "info",
        "payload": {"number": number},
        "occurred_at": datetime.now(UTC).isoformat(),
        **changed,
    }
    reported = await report(
        executor,
        plugin_id=plugin_id,
        body=models.PluginEventV1.model_validate(body),
        fingerprint=event_id.bytes,
        trace_id=str(uuid4()),
    )
    assert reported is Reported.ACCEPTED
    return event_id


@dataclass(frozen=True, slots=True)
class Reporter:
    """A plugin that reports events."""

    pool: asyncpg.Pool
    id: UUID

    async def happen(self, number: int = 0, **changed: Any) -> UUID:
        return await happen(self.pool, self.id, number, **changed)

    async def numbered(self) -> None:
        """Waits until the worker has given each event its place."""
        while await any_unnumbered(self.pool):  # noqa: ASYNC110  # no event tells of it
            await asyncio.sleep(0.005)


@asynccontextmanager
async def numbering(pool: asyncpg.Pool, settings: Settings) -> AsyncIterator[Relay]:
    """A worker's part in it, at work; without Redis."""
    redis, wire = relay_client(settings), Wire(settings.listen_url)
    relay = Relay(pool, redis, batch=50, poll_seconds=0.005, metrics=make_metrics(),
                  told=lambda: wire.tell(FEED))  # fmt: skip

    async def number() -> None:
        while True:
            await relay.number_once()
            await asyncio.sleep(0.005)

    tasks = [asyncio.create_task(number()), asyncio.create_task(wire.run())]
    try:
        yield relay
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await redis.aclose()
