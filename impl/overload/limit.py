"""How much work is taken on at once: less while what is there waits for too long."""

from dataclasses import dataclass, field

LEAST = 8  # keeps a process busy, however long that takes
INTERVAL_SECONDS = 0.1  # a wait that is over sooner was a burst
GROWTH = 1.05
CUT = 0.9


@dataclass
class WorkLimit:
    """CoDel's question (is the wait above `target` for a whole interval?) with AIMD's answer."""

    most: int
    target: float  # seconds
    _permitted: float = field(init=False)
    _above_since: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._permitted = self.most

    @property
    def permitted(self) -> int:
        return int(self._permitted)

    def note(self, wait: float, working: int, at: float) -> None:
        """What waited longest, and how much was at work, as seen at the moment `at` (seconds)."""
        if wait < self.target:
            self._above_since = None
            self._permitted = min(self.most, self._permitted * GROWTH + 1)
        elif self._above_since is None:
            self._above_since = at
        elif at - self._above_since >= INTERVAL_SECONDS:
            self._above_since = at
            least = min(LEAST, self.most)
            # What is permitted and not used brings nothing when it is cut.
            self._permitted = max(least, min(self._permitted, working) * CUT)
