"""What happens to a Redis in these rows: the server itself, or the line that the core has to it."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.faults.stores.servers import OwnValkey
from tests.redis_faults import Server

FLUSH_SECONDS = 5.0
ANSWER_SECONDS = 0.25  # in which a Redis that is well takes a write
PROBE = "suite:probe"


@dataclass(frozen=True)
class Store:
    """`server`: as the core has it. `random` says when it is flushed again."""

    valkey: OwnValkey
    server: Server
    random: random.Random

    async def takes_writes(self) -> bool:
        """As the core sees it, on a new connection."""
        client = Redis.from_url(self.server.line.url)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await client.set(PROBE, 1, ex=60)
        except (RedisError, OSError, TimeoutError):
            return False
        finally:
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                await client.aclose()
        return True

    @asynccontextmanager
    async def stopped(self) -> AsyncIterator[None]:
        """kill -9 of the process; it starts again on what it has written to its disk."""
        async with self.server.stopped():
            await self.valkey.kill()
            yield
            await self.valkey.start()

    @asynccontextmanager
    async def flushed(self) -> AsyncIterator[None]:
        """At once, again and again, and at last."""
        async with self.server.flushed():
            flushing = asyncio.create_task(self._flush())
            try:
                yield
            finally:
                flushing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await flushing

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(self.random.uniform(0, 2 * FLUSH_SECONDS))
            await self.server.redis.flushall()


@dataclass(frozen=True)
class Way:
    """`away`: while it lasts Redis is of no use; else it is there, and empty."""

    name: str
    enter: Callable[[Store], AbstractAsyncContextManager[None]]
    away: bool = True


WAYS = [
    Way("is stopped", Store.stopped),
    Way("is flushed", Store.flushed, away=False),
    Way("is 2 s slow", lambda store: store.server.slow()),
    Way("is out of memory", lambda store: store.server.out_of_memory()),
    Way("is read-only", lambda store: store.server.read_only()),
    Way("is a black hole", lambda store: store.server.hung()),
]
