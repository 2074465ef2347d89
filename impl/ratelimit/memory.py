"""The limiter of one process: exact for it, and blind to the others."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from uuid import UUID

from generated.runtime.limits import Charge, Partition, Standing, Verdict

MAX_SUBJECTS = 100_000


class MemoryLimiter:
    """The generic cell rate algorithm: a burst of the whole quota, then one unit at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full_at: OrderedDict[tuple[Partition, UUID], float] = OrderedDict()

    async def charge(self, charges: Sequence[Charge]) -> Verdict:
        now = self._clock()
        before = [max(now, self._full_at.get(_key(charge), now)) for charge in charges]
        after = [
            full + charge.limit.window / charge.limit.quota
            for full, charge in zip(before, charges, strict=True)
        ]
        late = max(
            full - now - charge.limit.window for full, charge in zip(after, charges, strict=True)
        )
        permitted = late <= 1e-9  # what sums of fractions lose
        if permitted:
            self._keep(charges, after)
        standings = [
            _standing(charge, full - now)
            for charge, full in zip(charges, after if permitted else before, strict=True)
        ]
        return Verdict(standings, 0 if permitted else max(1, math.ceil(late)))

    def _keep(self, charges: Sequence[Charge], full_at: list[float]) -> None:
        for charge, full in zip(charges, full_at, strict=True):
            self._full_at[_key(charge)] = full
            self._full_at.move_to_end(_key(charge))
        while len(self._full_at) > MAX_SUBJECTS:
            self._full_at.popitem(last=False)


def _key(charge: Charge) -> tuple[Partition, UUID]:
    return charge.limit.partition, charge.subject_id


def _standing(charge: Charge, until_full: float) -> Standing:
    limit = charge.limit
    left = (limit.window - until_full) * limit.quota / limit.window
    return Standing(
        limit.partition, limit.quota, limit.window, int(left + 1e-9), math.ceil(until_full)
    )
