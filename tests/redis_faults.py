"""What may happen to a Redis: each is entered, and left again by itself."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from tests.wire import Line

NOBODY = 1  # a port on which no server listens


@dataclass(frozen=True)
class Server:
    """The line that the core has to it, and one of the test's own past that."""

    line: Line
    redis: Redis

    @asynccontextmanager
    async def stopped(self) -> AsyncIterator[None]:
        self.line.cut()
        yield
        self.line.mend()

    @asynccontextmanager
    async def hung(self) -> AsyncIterator[None]:
        """A black hole: it takes connections and requests, and answers nothing."""
        self.line.stall()
        yield
        self.line.mend()

    @asynccontextmanager
    async def slow(self) -> AsyncIterator[None]:
        self.line.slow(2)
        yield
        self.line.mend()

    @asynccontextmanager
    async def out_of_memory(self) -> AsyncIterator[None]:
        await self.redis.config_set("maxmemory", "1")
        yield
        await self.redis.config_set("maxmemory", "0")

    @asynccontextmanager
    async def read_only(self) -> AsyncIterator[None]:
        """The replica of a server that is gone."""
        command: Any = self.redis.execute_command
        await command("REPLICAOF", "127.0.0.1", NOBODY)
        yield
        await command("REPLICAOF", "NO", "ONE")

    @asynccontextmanager
    async def flushed(self) -> AsyncIterator[None]:
        await self.redis.flushall()
        yield
        await self.redis.flushall()


Fault = Callable[[Server], AbstractAsyncContextManager[None]]
FAULTS: dict[str, Fault] = {
    "stopped": Server.stopped,
    "hung": Server.hung,
    "slow": Server.slow,
    "out of memory": Server.out_of_memory,
    "read-only": Server.read_only,
    "flushed": Server.flushed,
}
# While these last, Redis is away; a flushed one is there, and filled again.
AWAY = [name for name in FAULTS if name != "flushed"]
Again = Callable[[], Awaitable[None]]
