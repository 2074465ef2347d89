"""How long a model may take, all attempts of a call together."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds, for each operation."""

    invoke: float = 2.0
    classify: float = 2.0
    generate_code: float = 60.0
    health: float = 2.0


def given(seconds: float | None, usual: float) -> float:
    return usual if seconds is None else seconds


class Left:
    """What is left of some seconds, counted from now."""

    def __init__(self, seconds: float) -> None:
        self._clock = asyncio.get_running_loop().time
        self._end = self._clock() + seconds

    def seconds(self) -> float:
        return max(0.0, self._end - self._clock())
