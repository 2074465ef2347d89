"""Limits counted by this process alone: for tests, and while Redis is away."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeAlias
from uuid import UUID

from generated.runtime.limits import Charge, Partition, Verdict
from impl.ratelimit.bucket import Bucket, verdict

# Quota and window of a subject; None where the contract's default holds.
Own: TypeAlias = Callable[[Partition, UUID], tuple[int, int] | None]


def nobodys_own(_partition: Partition, _subject_id: UUID) -> None:
    """All have the contract's defaults."""


class MemoryLimiter:
    """Permits `share` of each quota, and one request at least.

    It forgets who was here longest ago once it knows `most` subjects: they start anew.
    """

    def __init__(
        self,
        own: Own = nobodys_own,
        *,
        share: float = 1.0,
        most: int = 100_000,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._own = own
        self._share = share
        self._most = most
        self._clock = clock
        self._kept: OrderedDict[tuple[Partition, UUID], tuple[int, int]] = OrderedDict()

    async def charge(self, charges: Sequence[Charge]) -> Verdict:
        now = self._clock() // 1_000_000
        buckets = [self._bucket(charge, now) for charge in charges]
        permitted = all(bucket.takes_one for bucket in buckets)
        if permitted:
            buckets = [
                Bucket(bucket.quota, bucket.window, bucket.level + bucket.request)
                for bucket in buckets
            ]
            for charge, bucket in zip(charges, buckets, strict=True):
                self._keep(charge, bucket, now)
        return verdict(charges, buckets, permitted=permitted)

    def _bucket(self, charge: Charge, now: int) -> Bucket:
        limit = charge.limit
        whole, window = self._own(limit.partition, charge.subject_id) or (limit.quota, limit.window)
        quota = max(1, int(whole * self._share))
        level, at = self._kept.get((limit.partition, charge.subject_id), (0, now))
        drained, most = max(0, level - (now - at) * quota), quota * window * 1000
        if drained > most:  # the quota was lowered: from now on it drains as the others do
            self._keep(charge, Bucket(quota, window, most), now)
        return Bucket(quota, window, min(drained, most))

    def _keep(self, charge: Charge, bucket: Bucket, now: int) -> None:
        key = (charge.limit.partition, charge.subject_id)
        self._kept[key] = (bucket.level, now)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
