"""Whether a provider is there: the share of good calls in a sliding window, and the way back."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

SLOTS = 60  # of a window: the oldest leaves at once


@dataclass(frozen=True, slots=True)
class Bounds:
    """Below `availability` of `calls` calls or more in `seconds` it is away."""

    availability: float = 0.97
    seconds: float = 300.0
    calls: int = 34

    def broken_by(self, calls: int, good: int) -> bool:
        return calls >= self.calls and good / calls < self.availability


class Window:
    """Calls and good ones among them, in slots of time."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._slot = seconds / SLOTS
        self._clock = clock
        self._slots: deque[list[int]] = deque()  # number of the slot, calls, good ones

    def add(self, *, good: bool) -> None:
        self._forget()
        now = self._now()
        if not self._slots or self._slots[-1][0] != now:
            self._slots.append([now, 0, 0])
        self._slots[-1][1] += 1
        self._slots[-1][2] += good

    def counted(self) -> tuple[int, int]:
        """Calls, and how many of them were good."""
        self._forget()
        return sum(slot[1] for slot in self._slots), sum(slot[2] for slot in self._slots)

    def clear(self) -> None:
        self._slots.clear()

    def _now(self) -> int:
        return int(self._clock() / self._slot)

    def _forget(self) -> None:
        while self._slots and self._slots[0][0] <= self._now() - SLOTS:
            self._slots.popleft()


class State(Enum):
    UP = auto()
    AWAY = auto()  # nobody asks it but a probe
    PROBED = auto()  # a probe went well: one call may try
    TRIED = auto()  # that call is under way


@dataclass(frozen=True, slots=True)
class Counted:
    calls: int
    good: int

    @property
    def availability(self) -> float:
        return self.good / self.calls if self.calls else 1.0


class Standing:
    """Of the first provider: it falls by its calls, and rises by one good call after a good probe.

    Each method says what changed by it, so that each change is told once.
    """

    def __init__(self, bounds: Bounds, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds = bounds
        self._window = Window(bounds.seconds, clock)
        self.state = State.UP

    def take(self) -> tuple[bool, bool]:
        """Whether the call at hand may ask it, and whether it is the one that tries."""
        if self.state is State.PROBED:
            self.state = State.TRIED
            return True, True
        return self.state is State.UP, False

    def failed(self, *, trial: bool) -> Counted | None:
        """What was counted, where it fell by this."""
        if trial:
            self.state = State.AWAY
        elif self.state is State.UP:
            self._window.add(good=False)
            counted = Counted(*self._window.counted())
            if self._bounds.broken_by(counted.calls, counted.good):
                self.state = State.AWAY
                return counted
        return None

    def good(self, *, trial: bool) -> bool:
        """Whether it rose by this."""
        if trial:
            self._window.clear()
            self.state = State.UP
            return True
        if self.state is State.UP:  # what was asked before it fell says nothing of now
            self._window.add(good=True)
        return False

    def given_up(self, *, trial: bool) -> None:
        """The caller left: another call may try."""
        if trial:
            self.state = State.PROBED

    def probed_well(self) -> None:
        if self.state is State.AWAY:
            self.state = State.PROBED
