"""One value held against a schema: what it may cost, and what did not fit."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from generated.runtime.problems import pointer

JSON: TypeAlias = Any  # of any shape: each rule looks first


class TooCostlyError(Exception):
    """The value is not judged: that would hold up everybody else."""


class EnoughError(Exception):
    """As many faults as are asked for were found."""


@dataclass(slots=True)
class Seen:
    """Members and items that a subschema has looked at, for `unevaluated…`."""

    names: set[str] = field(default_factory=set)
    items: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Run:
    """`steps` may be spent. `quiet` is how many alternatives deep it is: there nothing is told."""

    steps: int
    most_faults: int
    tracks: bool  # whether anything asks what was seen
    faults: list[str] = field(default_factory=list)
    path: list[str | int] = field(default_factory=list)
    quiet: int = 0

    def spend(self, steps: int = 1) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise TooCostlyError

    def fault(self, keyword: str) -> bool:
        """False, always: what does not fit."""
        if not self.quiet:
            self.faults.append(f"{pointer(*self.path)} {keyword}".strip())
            if len(self.faults) >= self.most_faults:
                raise EnoughError
        return False

    def seen(self) -> Seen | None:
        return Seen() if self.tracks else None


Rule: TypeAlias = Callable[[JSON, Run, Seen | None], bool]


class Node:
    """A subschema; its rules are set once all nodes exist, since they name one another."""

    __slots__ = ("rules",)

    def __init__(self) -> None:
        self.rules: tuple[Rule, ...] = ()

    def holds(self, value: JSON, run: Run, seen: Seen | None) -> bool:
        run.spend(2)
        good = True
        for rule in self.rules:
            if not rule(value, run, seen):
                good = False
                if run.quiet:
                    return False
        return good

    def fits(self, value: JSON, run: Run, seen: Seen | None) -> bool:
        """In place of the value: what it saw counts where it holds."""
        if seen is None:
            return self.holds(value, run, None)
        own = Seen()
        good = self.holds(value, run, own)
        if good:
            seen.names |= own.names
            seen.items |= own.items
        return good

    def may_fit(self, value: JSON, run: Run, seen: Seen | None) -> bool:
        """As `fits`, where not to fit is no fault."""
        run.quiet += 1
        try:
            return self.fits(value, run, seen)
        finally:
            run.quiet -= 1

    def below(self, part: str | int, value: JSON, run: Run) -> bool:
        """For a member or an item."""
        run.path.append(part)
        good = self.holds(value, run, run.seen())
        run.path.pop()
        return good


def key_of(value: JSON, run: Run | None = None) -> object:
    """Equal for values that are equal as JSON: 1 is 1.0 and is not true."""
    if run is not None:
        run.spend()
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, list):
        return ("list", tuple(key_of(item, run) for item in value))
    if isinstance(value, dict):
        return ("object", frozenset((name, key_of(item, run)) for name, item in value.items()))
    return value
