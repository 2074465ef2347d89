"""How often a request is made again, and when: within one deadline for all attempts together."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from impl.llm.errors import LLMError

T = TypeVar("T")

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
JITTER = 0.5  # of the pause, on top: never shorter than it


@dataclass(frozen=True, slots=True)
class Retries:
    """`most` attempts beyond the first. `chance` gives 0 to 1."""

    most: int
    chance: Callable[[], float] = random.random

    def pause(self, attempt: int) -> float:
        """Seconds after the `attempt`th failure, from 0."""
        whole: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)
        return whole * (1 + JITTER * self.chance())

    async def run(self, attempt: Callable[[], Awaitable[T]], deadline: float) -> T:
        """`deadline` by the loop's clock. Raises the last LLMError."""
        for number in range(self.most):
            try:
                return await attempt()
            except LLMError as error:
                if error.retry_after is None:
                    raise
                wait = max(self.pause(number), error.retry_after)
                # An attempt that cannot start in time is not worth waiting for.
                if asyncio.get_running_loop().time() + wait >= deadline:
                    raise
                await asyncio.sleep(wait)
        return await attempt()


def seconds_asked_for(headers: Mapping[str, str]) -> float:
    """What `Retry-After` says, in seconds from now; 0 where it says nothing that counts."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        return _until(value)
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def _until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError, IndexError):
        return 0.0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
