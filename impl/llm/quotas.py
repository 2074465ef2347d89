"""How many tokens a subsystem may use within a window: protection from cost.

Counted in Redis, for all instances together, and besides by each instance for itself. Where Redis
is away an instance goes by its own count, so that N of them permit N quotas at most, and never any
number. The check comes before a call and the charge after it, so calls under way may overdraw.
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import structlog

from generated.models import LLMProvider
from impl.llm.errors import LLMError
from impl.llm.port import Cost
from impl.llm.shared import AwayError, SharedState

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = structlog.get_logger()

PREFIX = "llm:tokens:"
CHARACTERS_A_TOKEN = 4  # where a server does not count


class OwnCount:
    """Of this process, in windows that begin with their first charge, as those in Redis do."""

    def __init__(self, window_seconds: float, clock: Callable[[], float]) -> None:
        self._window = window_seconds
        self._clock = clock
        self._used: dict[str, tuple[float, int]] = {}

    def of(self, subsystem: str) -> int:
        began, used = self._used.get(subsystem, (0.0, 0))
        return used if self._clock() - began < self._window else 0

    def add(self, subsystem: str, tokens: int) -> None:
        used = self.of(subsystem)
        began = self._used[subsystem][0] if used else self._clock()
        self._used[subsystem] = (began, used + tokens)


class Quotas:
    def __init__(
        self,
        limits: Mapping[str, int],
        window_seconds: int,
        shared: SharedState,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A subsystem that `limits` does not name has no quota."""
        self._limits = limits
        self._window = window_seconds
        self._shared = shared
        self._own = OwnCount(window_seconds, clock)
        self._told: set[str] = set()

    @property
    def alone(self) -> bool:
        return bool(self._limits) and self._shared.away

    async def check(self, subsystem: str, provider: LLMProvider) -> None:
        """Raises LLMError where the quota is used up."""
        limit = self._limits.get(subsystem)
        if limit is None:
            return
        if await self._used(subsystem) < limit:
            self._told.discard(subsystem)
            return
        if subsystem not in self._told:
            self._told.add(subsystem)
            log.warning("llm_quota_exceeded", subsystem=subsystem, tokens=limit)
        raise LLMError("quota_exceeded", provider)

    async def charge(self, subsystem: str, cost: Cost) -> None:
        """Where nobody counted tokens, characters stand in for them."""
        if subsystem not in self._limits:
            return
        estimated = -(-cost.characters // CHARACTERS_A_TOKEN)
        tokens = cost.usage.total_tokens if cost.usage else estimated
        self._own.add(subsystem, tokens)
        try:
            await self._shared.ask(lambda redis: self._add(redis, subsystem, tokens))
        except AwayError:
            return

    async def _used(self, subsystem: str) -> int:
        try:
            found = await self._shared.ask(lambda redis: redis.get(PREFIX + subsystem))
            return int(found or 0)
        except (AwayError, ValueError):  # or a key that is not ours
            return self._own.of(subsystem)

    async def _add(self, redis: "Redis", subsystem: str, tokens: int) -> None:
        async with redis.pipeline(transaction=True) as pipeline:
            pipeline.incrby(PREFIX + subsystem, tokens)
            pipeline.expire(PREFIX + subsystem, self._window, nx=True)
            await pipeline.execute()
