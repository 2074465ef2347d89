"""What `make bench` is made of: parts, which start and end their own servers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Size:
    """`short`: to see that it runs; its figures decide nothing."""

    short: bool


Progress = Callable[[str], None]


@dataclass(frozen=True)
class Part:
    """`run` gives figures for build/bench.json; `kept` among them: each promise, whether kept.

    It raises CannotRunError, with what to install, where it cannot be measured.
    """

    name: str
    title: str
    run: Callable[[Size, Progress], Awaitable[Mapping[str, Any]]]
