"""The limiter of the API: counts in Redis, and by itself while Redis is away."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import structlog
from redis.exceptions import RedisError

from generated.runtime.limits import Charge, Verdict
from impl.db import UNAVAILABLE, Pool
from impl.degraded.gate import Gate
from impl.ratelimit.filling import Filling
from impl.ratelimit.master import MasterCopy
from impl.ratelimit.memory import MemoryLimiter
from impl.ratelimit.queries import OwnLimit
from impl.ratelimit.shared import SharedLimiter, seen
from impl.redis import UNREACHABLE

log = structlog.get_logger()

# One to find out, one after a filling that had begun before, one after a filling of its own.
TRIES = 3


class UnfilledError(Exception):
    """Redis lacks own limits, and the database does not give them."""


class RateLimiter:
    """Alone, each instance permits `alone_share` of a quota: N instances permit N such shares.

    Who finds Redis away waits for it once: the gate sees to it. `watch` says when it is back, and
    when all own limits are there again.
    """

    def __init__(self, pool: Pool, gate: Gate, alone_share: float = 1.0) -> None:
        self.master = MasterCopy(pool)
        self.filling = Filling(gate.redis, self.master)
        self._gate = gate
        self._shared = SharedLimiter(gate.redis, gate.timeout_seconds)
        self._memory = MemoryLimiter(self.master.own, share=alone_share)
        self._flight: asyncio.Task[None] | None = None
        self._unfilled = self._told = False

    @property
    def alone(self) -> bool:
        return self._gate.away or self._unfilled

    async def charge(self, charges: Sequence[Charge]) -> Verdict:
        if not self.alone:
            try:
                return await self._charge_shared(charges)
            except (*UNREACHABLE, UnfilledError) as error:
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
                await self._gate.ask(lambda: self.filling.push([changed]))
            except UNREACHABLE as error:
                self._leave(error)
        await self._refresh()

    async def watch(
        self, every_seconds: float, then: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Never ends. Keeps the copies equal, and finds out whether Redis is there; then `then`."""
        while True:
            try:
                await self._gate.check()
                await self._shared.look()
                await self._fill()
            except UNREACHABLE as error:
                self._leave(error)
                await self._refresh()  # what others set meanwhile holds here too
            except UnfilledError as error:
                self._gate.enter()
                self._leave(error)
            else:
                self._return()
            if then is not None:
                await then()
            await asyncio.sleep(every_seconds)

    async def agree(self) -> None:
        """Once for all who wait for it; one that gives up does not fail the others."""
        if self._flight is None or self._flight.done():
            self._flight = asyncio.create_task(self.filling.agree(), name="limits_agree")
            self._flight.add_done_callback(seen)
        await asyncio.shield(self._flight)

    async def _charge_shared(self, charges: Sequence[Charge]) -> Verdict:
        for _ in range(TRIES):
            verdict = await self._shared.charge(charges)
            if verdict is not None:
                return verdict
            await self._fill(self._gate.timeout_seconds)
        raise RedisError("emptied again and again")

    async def _refresh(self) -> None:
        with contextlib.suppress(*UNAVAILABLE):
            await self.master.refresh()

    async def _fill(self, seconds: float | None = None) -> None:
        """As `agree`. What the database did not give, or not in time, is an UnfilledError."""
        try:
            async with asyncio.timeout(seconds):
                await self.agree()
        except RedisError:
            raise
        except UNAVAILABLE as error:
            raise UnfilledError(type(error).__name__) from error

    async def close(self) -> None:
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait([self._flight])
        await self._shared.close()

    def _leave(self, error: Exception) -> None:
        if isinstance(error, UnfilledError):  # no fault of Redis, which others may go on asking
            self._unfilled = True
        else:
            self._gate.leave(error)
        if not self._told:
            self._told = True
            log.warning("limits_alone", reason=type(error).__name__)

    def _return(self) -> None:
        self._gate.enter()
        self._unfilled = False
        if self._told:
            self._told = False
            log.info("limits_shared")
