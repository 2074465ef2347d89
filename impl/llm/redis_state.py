"""Redis for what may be lost: while it is away nobody waits for it twice."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.asyncio import Redis

from impl.llm.shared import AwayError
from impl.redis import UNREACHABLE

log = structlog.get_logger()

T = TypeVar("T")

PAUSE_SECONDS = 5.0


class RedisState:
    """A SharedState. After a failure it asks nobody for some seconds."""

    def __init__(
        self,
        redis: Redis,
        timeout_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._timeout = timeout_seconds
        self._clock = clock
        self._away_until = 0.0
        self.away = False

    async def ask(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        if self._clock() < self._away_until:
            raise AwayError
        try:
            async with asyncio.timeout(self._timeout):
                answer = await command(self._redis)
        except UNREACHABLE as error:
            self._leave(error)
            raise AwayError from None
        if self.away:
            self.away = False
            log.info("llm_redis_back")
        return answer

    def _leave(self, error: Exception) -> None:
        self._away_until = self._clock() + PAUSE_SECONDS
        if not self.away:
            self.away = True
            log.warning("llm_redis_away", reason=type(error).__name__)
