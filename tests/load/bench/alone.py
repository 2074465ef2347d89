"""What is measured of the core alone runs on: servers of its own, the core as it is shipped, and a
plugin that costs next to nothing.

PostgreSQL keeps its own durability settings. Its files are in memory where there is room: what a
disk adds is the disk's matter.
"""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from impl import migrate
from impl.local.guardian import Guardian
from impl.local.postgres import EmbeddedPostgres
from tests.faults.processes import Process
from tests.faults.raw import answer
from tests.faults.world import Servers, World, world
from tests.load.bench.requests import Json, Request, message_of, messages_of
from tests.servers import ROOM, create_database, postgres_server

# The suite's own defaults, undone: these are the product's.
SHIPPED = {
    "log_level": "info",
    "catalogue_refresh_seconds": "1",
    "limits_refresh_seconds": "1",
    "queue_poll_seconds": "0.2",
    "work_wait_seconds": "0.1",
    "plugin_critical_failures": "20",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
TEMPLATE = "bench_template"


@asynccontextmanager
async def servers(**settings: str) -> AsyncIterator[Servers]:
    """`settings` are PostgreSQL's."""
    async with postgres_server(**DURABLE | settings) as dsn:
        await migrate.upgrade(await create_database(dsn, TEMPLATE))
        yield Servers(dsn, TEMPLATE)


@asynccontextmanager
async def servers_on_disk(**settings: str) -> AsyncIterator[Servers]:
    """For more rows than the memory should hold; `settings` are PostgreSQL's."""
    with tempfile.TemporaryDirectory(prefix="botcore-bench-") as directory:
        data = Path(directory) / "postgres"
        async with (
            Guardian() as guardian,
            EmbeddedPostgres(data, settings=ROOM | settings, group=guardian.group) as server,
        ):
            await migrate.upgrade(await create_database(server.dsn, TEMPLATE))
            yield Servers(server.dsn, TEMPLATE)


@asynccontextmanager
async def stage(made: Servers | None = None, **settings: str) -> AsyncIterator["Stage"]:
    """A core with a plugin and a user, and what is needed to ask it; `settings` as in `world`."""
    if made is None:
        async with servers() as own, stage(own, **settings) as found:
            yield found
        return
    async with (
        world(made, **SHIPPED | settings) as one,
        quick_plugin() as url,
        serving(one) as core,
    ):
        registered = await one.register(core, url, "text_reply")
        (user_id,) = await one.users(core, 1)
        await one.until_room_is_given()
        yield Stage(one, core, user_id, url, registered["plugin_id"])


@asynccontextmanager
async def serving(one: World, env: Mapping[str, str] | None = None) -> AsyncIterator[Process]:
    core = await one.serve(env)
    try:
        yield core
    finally:
        await core.stop()


@asynccontextmanager
async def working(one: World) -> AsyncIterator[Process]:
    worker = await one.worker()
    try:
        yield worker
    finally:
        await worker.stop()


@dataclass(frozen=True)
class Stage:
    world: World
    core: Process
    user_id: str
    plugin_url: str
    plugin_id: str

    @property
    def pool(self) -> asyncpg.Pool:
        return self.world.pool

    @property
    def bot_headers(self) -> dict[str, str]:
        return {"X-Bot-Token": self.world.bot.token}

    def message(self) -> Json:
        return message_of(self.user_id)

    def messages(self) -> Request:
        return messages_of(self.world.bot.token, self.user_id)


def heartbeats(plugin_id: str, token: str) -> Request:
    path = f"/api/v1/plugins/{plugin_id}/heartbeat"
    body = {"plugin_id": plugin_id, "status": "active", "latency_ms": 12.5}
    return Request("POST", path, {"Authorization": f"Bearer {token}"}, lambda: body)


_TRACE = re.compile(rb'"trace_id": ?"([^"]+)"')
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_HEALTH = b'{"status": "ok", "version": "1.0.0"}'


class _Plugin(asyncio.Protocol):
    def __init__(self, health: bytes) -> None:
        self._health = health
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # asyncio types a base transport
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, ended, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not ended or self._transport is None or (length and len(body) < int(length[1])):
            return
        self._buffer = b""
        trace = _TRACE.search(body)
        told = b"" if trace is None else trace[1]
        self._transport.write(
            answer(b'{"text":"done","trace_id":"' + told + b'"}') if body else self._health
        )


@asynccontextmanager
async def quick_plugin(health: str = "200 OK") -> AsyncIterator[str]:
    """URL of a plugin that answers at once, and looks at nothing but the trace."""
    loop, told = asyncio.get_running_loop(), answer(_HEALTH, health)
    server = await loop.create_server(lambda: _Plugin(told), "127.0.0.1", 0, backlog=1024)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
