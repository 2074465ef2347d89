"""The limiter of the API: counts in Redis, and by itself while Redis is away."""

import asyncio
import contextlib
from collections.abc import Sequence

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from generated.runtime.limits import Charge, Verdict
from impl.db import UNAVAILABLE, Pool
from impl.ratelimit.filling import Filling
from impl.ratelimit.master import MasterCopy
from impl.ratelimit.memory import MemoryLimiter
from impl.ratelimit.queries import OwnLimit
from impl.ratelimit.shared import SharedLimiter
from impl.redis import UNREACHABLE

log = structlog.get_logger()

# One to find out, one after a filling that had begun before, one after a filling of its own.
TRIES = 3


class RateLimiter:
    """Alone, each instance permits a whole quota: N instances permit N of them.

    Who finds Redis away waits for it `timeout_seconds` at most, once. From then on nobody asks:
    `watch` does, and says when it is back.
    """

    def __init__(self, pool: Pool, redis: Redis, timeout_seconds: float) -> None:
        self.master = MasterCopy(pool)
        self.filling = Filling(redis, self.master)
        self._shared = SharedLimiter(redis, timeout_seconds)
        self._memory = MemoryLimiter(self.master.own)
        self._timeout = timeout_seconds
        self._flight: asyncio.Task[None] | None = None
        self.alone = False

    async def charge(self, charges: Sequence[Charge]) -> Verdict:
        if not self.alone:
            try:
                return await self._charge_shared(charges)
            except (*UNREACHABLE, *UNAVAILABLE) as error:
                self._leave(error)
        return await self._memory.charge(charges)

    async def announce(self, changed: OwnLimit | None) -> None:
        """What was just committed: for all instances through Redis, and for this one without it.

        Where that fails the next look of any instance does it.
        """
        if changed is None:
            return
        if not self.alone:
            try:
                async with asyncio.timeout(self._timeout):
                    await self.filling.push([changed])
            except UNREACHABLE as error:
                self._leave(error)
        with contextlib.suppress(*UNAVAILABLE):
            await self.master.refresh()

    async def watch(self, every_seconds: float) -> None:
        """Never ends. Keeps the copies equal, and finds out whether Redis is there."""
        while True:
            try:
                await self.agree()
            except (*UNREACHABLE, *UNAVAILABLE) as error:
                self._leave(error)
            else:
                self._return()
            await asyncio.sleep(every_seconds)

    async def agree(self) -> None:
        """Once for all who wait for it; one that gives up does not fail the others."""
        if self._flight is None or self._flight.done():
            self._flight = asyncio.create_task(self.filling.agree(), name="limits_agree")
            self._flight.add_done_callback(_seen)
        await asyncio.shield(self._flight)

    async def _charge_shared(self, charges: Sequence[Charge]) -> Verdict:
        for _ in range(TRIES):
            verdict = await self._shared.charge(charges)
            if verdict is not None:
                return verdict
            async with asyncio.timeout(self._timeout):
                await self.agree()
        raise RedisError("emptied again and again")

    async def close(self) -> None:
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait([self._flight])
        await self._shared.close()

    def _leave(self, error: Exception) -> None:
        if not self.alone:
            self.alone = True
            log.warning("limits_alone", reason=type(error).__name__)

    def _return(self) -> None:
        if self.alone:
            self.alone = False
            log.info("limits_shared")


def _seen(flight: "asyncio.Task[None]") -> None:
    """Of what failed, even where nobody waits any longer."""
    if not flight.cancelled():
        flight.exception()
