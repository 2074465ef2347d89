"""Redis for what may be lost: while the gate is shut nobody waits for it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis

from impl.degraded.gate import Gate
from impl.llm.shared import AwayError
from impl.redis import UNREACHABLE

T = TypeVar("T")


class RedisState:
    """A SharedState, by the gate of the process."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    @property
    def away(self) -> bool:
        return self._gate.away

    async def ask(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        try:
            return await self._gate.ask(lambda: command(self._gate.redis))
        except UNREACHABLE:
            raise AwayError from None
