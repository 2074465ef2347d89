"""What the counts and the cache need of a Redis, and how it is where there is none."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:  # text_reply has none, and need not load its client
    from redis.asyncio import Redis

T = TypeVar("T")


class AwayError(Exception):
    """No Redis, or none that answers."""


class SharedState(Protocol):
    @property
    def away(self) -> bool:
        """Whether there should be one and it does not answer."""
        ...

    async def ask(self, command: "Callable[[Redis], Awaitable[T]]") -> T:
        """Raises AwayError."""
        ...


class Unshared:
    """No Redis, and that is all right."""

    away = False

    async def ask(self, command: "Callable[[Redis], Awaitable[T]]") -> T:
        raise AwayError
