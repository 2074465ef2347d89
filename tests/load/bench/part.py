"""One part of the bench: what it is called, and how its figures are had."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Size:
    short: bool


Progress: TypeAlias = Callable[[str], None]


@dataclass(frozen=True)
class Part:
    """`run` starts and ends its own servers, and returns what goes into build/bench.json."""

    name: str
    title: str
    run: Callable[[Size, Progress], Awaitable[Mapping[str, Any]]]
