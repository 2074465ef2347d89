"""Whether the model is away: told once an outage, and not for each message."""

import time
from collections.abc import Callable

# A model that comes and goes is one outage: reports of it are so far apart, at least.
APART_SECONDS = 60.0


class Outage:
    def __init__(
        self, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`tell` is called with the reason; it must not wait."""
        self._tell = tell
        self._clock = clock
        self._away = False
        self._told_at: float | None = None

    def failed(self, reason: str) -> None:
        if self._away:
            return
        self._away = True
        now = self._clock()
        if self._told_at is None or now - self._told_at >= APART_SECONDS:
            self._told_at = now
            self._tell(reason)

    def answered(self) -> None:
        self._away = False
