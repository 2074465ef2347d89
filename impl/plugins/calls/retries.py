"""When a call is made again, and how often at most."""

import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

BACKOFF_SECONDS = 0.1
MOST_BACKOFF_SECONDS = 1.0
MOST_DIGITS = 9
# A quiet plugin earns too little to retry at all: so many it always has, and they come back slowly.
RESERVE = 3.0
RESERVE_PER_SECOND = 0.1
# What is saved in good times must not become a storm in a bad one.
MOST_SAVED = 10.0
NEARLY_ONE = 1 - 1e-9  # shares add up to a little less


def backoff(attempt: int) -> float:
    """Seconds before the attempt that follows the `attempt`th (from 0): full jitter."""
    most = min(MOST_BACKOFF_SECONDS, BACKOFF_SECONDS * 2**attempt)
    return random.uniform(0, most)  # noqa: S311  # no secret: it spreads the callers


def seconds_asked_for(headers: Mapping[str, str]) -> float | None:
    """What `Retry-After` says, in seconds from now; None where it says nothing that counts."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value) if len(value) <= MOST_DIGITS else float("inf")
    moment = _moment(value)
    if moment is None:
        return None
    # By the plugin's own clock where it says what that shows.
    now = _moment(headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (moment - now).total_seconds())


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class RetryBudget:
    """A plugin's retries, as a share of its calls: a plugin in trouble gets no storm on top."""

    def __init__(self, share: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._clock = clock
        self._left = RESERVE
        self._filled_at = clock()

    def earn(self) -> None:
        """With each first attempt."""
        if self._left < MOST_SAVED:
            self._left += self._share

    def take(self) -> bool:
        """Whether one more attempt may be made; it is paid for then."""
        now = self._clock()
        if self._left < RESERVE:
            grown = self._left + (now - self._filled_at) * RESERVE_PER_SECOND
            self._left = min(RESERVE, grown)
        self._filled_at = now
        if self._share == 0 or self._left < NEARLY_ONE:
            return False
        self._left -= 1
        return True
