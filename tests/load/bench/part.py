"""What the bench is made of."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Progress: TypeAlias = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """`short`: enough to see that a part runs and what its figures are like."""

    short: bool


@dataclass(frozen=True)
class Part:
    """`run` starts and ends servers of its own, and returns its figures: plain values, to be
    written as JSON. `kept` among them says of each promise whether it was kept."""

    name: str
    title: str
    run: Callable[[Size, Progress], Awaitable[Mapping[str, Any]]]
