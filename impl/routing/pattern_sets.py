"""The patterns of the whole catalogue, matched at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from impl.routing.patterns import MAX_COST, SET_BYTES, PatternSet, TooCostlyError, cost

# A set is as bounded as a plugin's patterns are. Whose patterns cost more than this has a set of
# its own: its automaton never throws away what that of the others has learned.
MAX_SHARED_COST = 100
SHARED_BYTES = 8 << 20  # 5,000 commands take 4 MiB, and compile in 6 ms

# A plugin's status changes far more often than its patterns, and each change compiles a table.
_compiled = lru_cache(maxsize=512)(PatternSet)

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Patterned(Generic[R]):
    """What one plugin's patterns stand for, in their order."""

    patterns: tuple[str, ...]
    rules: tuple[R, ...]


@dataclass(frozen=True, slots=True)
class _Set(Generic[R]):
    patterns: PatternSet
    rules: tuple[R, ...]


@dataclass(frozen=True, slots=True)
class PatternSets(Generic[R]):
    """One set, and more only beyond its budget."""

    sets: tuple[_Set[R], ...] = ()

    def fired(self, text: str) -> list[R]:
        encoded = text.encode()
        return [one.rules[index] for one in self.sets for index in one.patterns.hits(encoded)]


@lru_cache(maxsize=4096)
def check_alone(patterns: tuple[str, ...]) -> None:
    """Raises what PatternSet does: so no plugin spoils the set that it would share."""
    PatternSet(patterns)


def compile_together(plugins: Iterable[Patterned[R]]) -> PatternSets[R]:
    """Of plugins whose patterns were each checked alone."""
    return PatternSets(tuple(one for group in _groups(plugins) for one in _sets(group)))


def _groups(plugins: Iterable[Patterned[R]]) -> list[list[Patterned[R]]]:
    """The cheapest first, so that they share a set, whichever is dear."""
    groups: list[list[Patterned[R]]] = []
    priced = [(cost(one.patterns), one) for one in plugins if one.patterns]
    spent = 0
    for own, plugin in sorted(priced, key=_by_cost):
        if not groups or spent + own > MAX_COST or own > MAX_SHARED_COST:
            groups.append([])
            spent = 0
        groups[-1].append(plugin)
        spent += own
    return groups


def _by_cost(priced: tuple[int, Patterned[R]]) -> tuple[int, tuple[str, ...]]:
    return priced[0], priced[1].patterns


def _sets(group: Sequence[Patterned[R]]) -> list[_Set[R]]:
    """Together, or each alone where the set would be too large."""
    patterns = tuple(pattern for plugin in group for pattern in plugin.patterns)
    try:
        compiled = _compiled(patterns, SHARED_BYTES if len(group) > 1 else SET_BYTES)
    except TooCostlyError:
        if len(group) == 1:
            raise
        half = len(group) // 2
        return [*_sets(group[:half]), *_sets(group[half:])]
    return [_Set(compiled, tuple(rule for plugin in group for rule in plugin.rules))]
