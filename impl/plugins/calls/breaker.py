"""A breaker for each plugin: one that fails too often is left alone for a while.

Then one call tries it, and its end decides. Only unavailability and timeouts are failures.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from impl.settings import Settings

SLICES = 10


class Admission(Enum):
    REFUSED = "refused"
    ORDINARY = "ordinary"
    TRIAL = "trial"


class Verdict(Enum):
    """What a call's end says of its plugin."""

    ALIVE = "alive"
    FAILING = "failing"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """Open for `open_seconds` once `failures` of at least `calls` in the window failed."""

    window_seconds: float
    calls: int
    failures: float
    open_seconds: float

    @classmethod
    def of(cls, settings: Settings) -> "BreakerRules":
        return cls(
            settings.breaker_window_seconds,
            settings.breaker_calls,
            settings.breaker_failures,
            settings.breaker_open_seconds,
        )


class Breaker:
    def __init__(self, rules: BreakerRules, clock: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._clock = clock
        self._width = rules.window_seconds / SLICES
        self._slices: list[list[int]] = []  # number, calls, failures; the oldest first
        self._open_until: float | None = None
        self._trying = False

    @property
    def closed(self) -> bool:
        return self._open_until is None

    @property
    def seconds_left(self) -> float:
        """Until a call tries the plugin again."""
        return max(0.0, (self._open_until or 0) - self._clock())

    @property
    def tries_next(self) -> bool:
        """Whether it is open, and the next call would be its trial."""
        return (
            self._open_until is not None and not self._trying and self._clock() >= self._open_until
        )

    def admit(self, *, patient: bool = True) -> Admission:
        """Whether a call may be made. One that was admitted must be noted, however it ends.

        A call of who is not patient says nothing where it is late: it is the trial only where no
        patient one has come for as long again, or a plugin of hurried bots would stay shut.
        """
        if self._open_until is None:
            return Admission.ORDINARY
        reserved = self._clock() < self._open_until + self._rules.open_seconds
        if not self.tries_next or (reserved and not patient):
            return Admission.REFUSED
        self._trying = True
        return Admission.TRIAL

    def note(self, admission: Admission, verdict: Verdict) -> None:
        if admission is Admission.TRIAL:
            self._end_trial(verdict)
        # A call that began before the breaker opened says nothing of the time since.
        elif self._open_until is None and verdict is not Verdict.NONE:
            self._count(verdict is Verdict.FAILING)

    def _end_trial(self, verdict: Verdict) -> None:
        self._trying = False
        if verdict is Verdict.FAILING:
            self._open()
        elif verdict is Verdict.ALIVE:
            self._open_until = None

    def _count(self, failed: bool) -> None:
        number = int(self._clock() / self._width)
        if not self._slices or self._slices[-1][0] != number:
            oldest = number - SLICES
            self._slices = [each for each in self._slices if each[0] > oldest]
            self._slices.append([number, 0, 0])
        newest = self._slices[-1]
        newest[1] += 1
        if failed:
            newest[2] += 1
            self._judge()

    def _judge(self) -> None:
        calls = sum(each[1] for each in self._slices)
        failures = sum(each[2] for each in self._slices)
        if calls >= self._rules.calls and failures >= self._rules.failures * calls:
            self._open()

    def _open(self) -> None:
        self._open_until = self._clock() + self._rules.open_seconds
        self._slices = []
