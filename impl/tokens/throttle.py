"""Who failed too often is refused before anything is spent on it.

Failures are counted by address, and by token id and address together. Not by the id alone: ids are
public, and whoever knows one would lock its holder out. Nothing here tells whether an id exists.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()

SECONDS = 60.0  # in which a full count runs empty
MAX_KEYS = 10_000

Key = tuple[str, ...]


@dataclass(slots=True)
class _Counts:
    """At most `most` at once, and as many in each SECONDS; forgets the oldest of too many keys."""

    most: int
    clock: Callable[[], float]
    max_keys: int
    _levels: OrderedDict[Key, tuple[float, float]] = field(default_factory=OrderedDict)

    def full(self, key: Key) -> bool:
        # Room for one whole failure: else the next would be let through at once.
        return key in self._levels and self._level(key) > self.most - 1

    def add(self, key: Key) -> bool:
        """Whether it is full with this one, and was not before."""
        was_full, level = self.full(key), self._level(key) + 1
        self._levels[key] = (level, self.clock())
        self._levels.move_to_end(key)
        while len(self._levels) > self.max_keys:
            self._levels.popitem(last=False)
        return not was_full and self.full(key)

    def _level(self, key: Key) -> float:
        level, at = self._levels.get(key, (0.0, 0.0))
        return max(level - (self.clock() - at) * self.most / SECONDS, 0.0)


class Throttle:
    """One a process. `per_id` and `per_address`: failures in a minute; memory has a bound."""

    def __init__(
        self,
        *,
        per_id: int = 10,
        per_address: int = 100,
        max_keys: int = MAX_KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._of_ids = _Counts(per_id, clock, max_keys)
        self._of_addresses = _Counts(per_address, clock, max_keys)

    def refuses(self, token_id: str, address: str) -> bool:
        """Where the address is not known, only the id counts."""
        if address and self._of_addresses.full((address,)):
            return True
        return self._of_ids.full((token_id, address))

    def failed(self, token_id: str, address: str) -> None:
        if self._of_ids.add((token_id, address)):
            log.warning("token_refused_unread", token_id=token_id, address=address)
        if address and self._of_addresses.add((address,)):
            log.warning("tokens_refused_unread", address=address)
