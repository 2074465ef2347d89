"""A load balancer before the instances: it sends connections to those whose /readyz says yes."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

import aiohttp

from tests.listening import listening

PROBE_EVERY_SECONDS = 0.1
PROBE_SECONDS = 2.0
YES, NO, SILENT, REFUSED = "200", "503", "silent", "refused"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Instance:
    """`said`: what its /readyz answered, each with the time of the question. One that says nothing
    stays as it was: a busy machine is no reason to leave it out."""

    url: str
    ready: bool = False
    said: list[tuple[float, str]] = field(default_factory=list)

    @property
    def place(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or 80

    @property
    def last(self) -> str:
        return self.said[-1][1] if self.said else ""

    def note(self, what: str, asked_at: float) -> None:
        if what != SILENT:
            self.ready = what == YES
        self.said.append((asked_at, what))


@dataclass
class Balancer:
    """Of connections, as a balancer of TCP is: what has one keeps it. `turned_away`: had none."""

    url: str = ""
    turned_away: int = 0
    _watches: dict[str, tuple[Instance, "asyncio.Task[None]"]] = field(default_factory=dict)
    _turns: "count[int]" = field(default_factory=count)

    def add(self, url: str) -> None:
        instance = Instance(url)
        self._watches[url] = (instance, asyncio.create_task(_watch(instance)))

    async def remove(self, url: str) -> None:
        """Open connections stay."""
        _, watch = self._watches.pop(url)
        await _end(watch)

    def instance(self, url: str) -> Instance:
        return self._watches[url][0]

    @property
    def ready(self) -> list[Instance]:
        return [each for each, _ in self._watches.values() if each.ready]

    async def has_ready(self, number: int) -> bool:
        return len(self.ready) >= number

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found = await self._connect()
        if found is None:
            self.turned_away += 1
            writer.transport.abort()
        else:
            await _join((reader, writer), found)

    async def stop(self) -> None:
        await _end(*(watch for _, watch in self._watches.values()))

    async def _connect(self) -> Streams | None:
        """To the next one in turn, or to another where that one is gone."""
        turn, ready = next(self._turns), self.ready
        for at in range(len(ready)):
            instance = ready[(turn + at) % len(ready)]
            try:
                return await asyncio.open_connection(*instance.place)
            except OSError:
                instance.note(REFUSED, time.monotonic())
        return None


@asynccontextmanager
async def balancer(*urls: str) -> AsyncIterator[Balancer]:
    made = Balancer()
    async with listening(made.serve, backlog=1024) as port:
        made.url = f"http://127.0.0.1:{port}"
        for url in urls:
            made.add(url)
        try:
            yield made
        finally:
            await made.stop()


async def _watch(instance: Instance) -> None:
    """On a connection of its own for each probe: one that is kept would not see the door close."""
    connector = aiohttp.TCPConnector(force_close=True)
    timeout = aiohttp.ClientTimeout(total=PROBE_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        while True:
            asked_at = time.monotonic()
            instance.note(await _probe(session, instance), asked_at)
            await asyncio.sleep(PROBE_EVERY_SECONDS)


async def _probe(session: aiohttp.ClientSession, instance: Instance) -> str:
    try:
        async with session.get(f"{instance.url}/readyz") as response:
            await response.read()
            return str(response.status)
    except TimeoutError:
        return SILENT
    except (aiohttp.ClientError, OSError):
        return REFUSED


async def _join(client: Streams, server: Streams) -> None:
    """What comes on one side goes out on the other, until either closes."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_pass_on(client[0], server[1]))
            group.create_task(_pass_on(server[0], client[1]))
    finally:
        for _, writer in (client, server):
            writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An end is passed on as one: the other side then closes too. What was sent is sent first."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _end(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
