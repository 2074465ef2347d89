"""Whether Redis is there, for all that a process uses it for.

Who finds it away waits once, for `timeout_seconds` at most. From then on nobody asks, until a look
in the background has written something: a Redis that is full or read-only answers a PING too.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from impl.redis import UNREACHABLE

log = structlog.get_logger()

T = TypeVar("T")

PROBE = "core:probe"
PROBE_SECONDS = 60


class RedisAwayError(RedisConnectionError):
    """It was found away, and is not asked."""


class Gate:
    """One a process. `away` is what its last use found."""

    def __init__(self, redis: Redis, timeout_seconds: float) -> None:
        self.redis = redis
        self.timeout_seconds = timeout_seconds
        self.away = False

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Its answer within `timeout_seconds`. Raises one of UNREACHABLE, at once while away."""
        if self.away:
            raise RedisAwayError("not asked: it was away a moment ago")
        try:
            return await self._bounded(question)
        except UNREACHABLE as error:
            if not _is_of_a_key(error):
                self.leave(error)
            raise

    async def check(self) -> None:
        """Asks, whatever was found before, and changes nothing. Raises one of UNREACHABLE."""
        write: Any = self.redis.set
        await self._bounded(lambda: write(PROBE, 1, ex=PROBE_SECONDS))

    async def look(self) -> bool:
        """Whether it is there now, which holds for all from here on."""
        try:
            await self.check()
        except UNREACHABLE as error:
            self.leave(error)
            return False
        self.enter()
        return True

    def leave(self, error: Exception) -> None:
        if not self.away:
            self.away = True
            log.warning("redis_away", reason=type(error).__name__)

    def enter(self) -> None:
        if self.away:
            self.away = False
            log.info("redis_back")

    async def _bounded(self, question: Callable[[], Awaitable[T]]) -> T:
        """To connect, to log in and to ask take a timeout each: together they have one."""
        async with asyncio.timeout(self.timeout_seconds):
            return await question()


def _is_of_a_key(error: Exception) -> bool:
    """Somebody else wrote that key: Redis is there, and the next question may be answered."""
    words = ("WRONGTYPE", "value is not an integer")  # a pipeline writes its command before them
    return isinstance(error, ResponseError) and any(word in str(error) for word in words)
