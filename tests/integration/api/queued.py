"""What the tests of the queue ask of an API, of its database and of a worker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiohttp import web

from generated.metrics import make_metrics
from impl.dialogs.delivery import make_delivery
from impl.dialogs.queue import CallQueue
from impl.plugins.caller import PluginCaller
from impl.plugins.catalogue import Catalogue
from impl.settings import Settings
from tests.patience import PATIENT_SECONDS
from tests.stack import Answer, Api, ScriptedPlugin

LATER = {"Prefer": "respond-async"}


async def say(  # noqa: PLR0917  # a message and how it is asked for
    api: Api,
    user: str,
    text: str,
    dialog: UUID | None = None,
    message_id: str | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """As `Api.say`, with headers."""
    body = {"user_id": user, "payload": {"type": "text", "text": text}, "message_id": message_id}
    path = f"/api/v1/dialogs/{dialog or uuid4()}/messages"
    return await api.bot("POST", path, json=body, headers=headers or {})


async def read(api: Api, dialog: UUID, message_id: str) -> Answer:
    return await api.bot("GET", f"/api/v1/dialogs/{dialog}/messages/{message_id}")


async def calls(pool: asyncpg.Pool) -> list[tuple[str, int, str | None]]:
    rows = await pool.fetch("SELECT status, attempt, error_code FROM plugin_calls ORDER BY id")
    return sorted(tuple(row) for row in rows)


async def told(pool: asyncpg.Pool, plugin: str = "%") -> list[tuple[str, str, str | None]]:
    """The events of calls, in the order of the outbox: type, the call's status, error code."""
    rows = await pool.fetch(
        "SELECT body FROM outbox WHERE stream LIKE $1 ORDER BY id", f"plugin:invocations:{plugin}"
    )
    bodies: list[dict[str, Any]] = [row["body"] for row in rows]
    return [
        (body["event_type"], body["payload"]["status"], body["payload"]["error_code"])
        for body in bodies
    ]


QUEUED = ("plugin_invocation_queued", "queued", None)
STARTED = ("plugin_invocation_started", "in_progress", None)
COMPLETED = ("plugin_invocation_completed", "succeeded", None)


async def lose_the_instance(pool: asyncpg.Pool) -> None:
    """What a kill -9 leaves behind: a call in progress whose lease nobody renews."""
    await pool.execute("UPDATE plugin_calls SET lease_until = now() - interval '1 second'")


@asynccontextmanager
async def queue(pool: asyncpg.Pool, settings: Settings) -> AsyncIterator[CallQueue]:
    """A worker's, which claims nothing by itself."""
    metrics = make_metrics()
    caller = PluginCaller(settings, metrics)
    catalogue = Catalogue(pool, settings.fallback_plugin)
    delivery = make_delivery(pool, caller, catalogue, settings, metrics)
    try:
        yield CallQueue(pool, delivery, settings, metrics)
    finally:
        await caller.close()


async def recover(pool: asyncpg.Pool, settings: Settings) -> int:
    async with queue(pool, settings) as one:
        return await one.run_once()


@asynccontextmanager
async def worker(pool: asyncpg.Pool, settings: Settings) -> AsyncIterator["asyncio.Task[None]"]:
    """The loop of the queue, as the worker runs it."""
    async with queue(pool, settings) as one:
        task = asyncio.create_task(one.run())
        try:
            yield task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENT_SECONDS):
        while not await condition():  # noqa: ASYNC110  # what another process stores
            await asyncio.sleep(0.02)


async def called(plugin: ScriptedPlugin, times: int) -> None:
    async with asyncio.timeout(PATIENT_SECONDS):
        while len(plugin.calls) < times:
            plugin.called.clear()
            await plugin.called.wait()


async def hang(_body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError
