"""One bucket: GCRA in whole numbers, so that a quota of ten permits ten and never nine or eleven.

The level counts milliseconds times quota: a request adds the window's milliseconds, each
millisecond that passes takes away the quota, and the bucket is full at quota times window. The
largest value, 1,000,000 x 86,400,000, is exact in the doubles of a Redis script too.
"""

from collections.abc import Sequence
from typing import NamedTuple

from generated.runtime.limits import Charge, Standing, Verdict

# The bounds of the contract and of the table rate_limits.
MOST_QUOTA = 1_000_000
MOST_WINDOW_SECONDS = 86_400


class Bucket(NamedTuple):
    """`quota` requests in `window` seconds; `level` as it is now."""

    quota: int
    window: int
    level: int

    @property
    def request(self) -> int:
        return self.window * 1000

    @property
    def space(self) -> int:
        return self.quota * self.request - self.level

    @property
    def takes_one(self) -> bool:
        return self.space >= self.request

    @property
    def seconds_until_one(self) -> int:
        return _seconds(self.request - self.space, self.quota)

    def standing(self, charge: Charge) -> Standing:
        return Standing(
            partition=charge.limit.partition,
            quota=self.quota,
            window=self.window,
            remaining=self.space // self.request,
            reset=_seconds(self.level, self.quota),
        )


def verdict(charges: Sequence[Charge], buckets: Sequence[Bucket], *, permitted: bool) -> Verdict:
    """What the edge is told. Of a refused request nothing was charged."""
    standings = [bucket.standing(charge) for bucket, charge in zip(buckets, charges, strict=True)]
    if permitted:
        return Verdict(standings)
    waits = (bucket.seconds_until_one for bucket in buckets if not bucket.takes_one)
    return Verdict(standings, max(waits, default=1))


def _seconds(level: int, quota: int) -> int:
    """How long `level` takes to drain, rounded up."""
    return -(-level // (quota * 1000))
