"""How much of each row of the group `stores` a run makes."""

from dataclasses import dataclass

from tests.faults.scale import LONG, SHORT, Scale


@dataclass(frozen=True)
class Amounts:
    """`rate`: messages a second. `quiet_seconds`: of load before a Redis goes wrong, which is what
    the rest is held against. `frozen_seconds`: for so long a worker is stopped. `full_seconds`: so
    long the disk is full.

    Whoever finds a Redis away waits for 250 ms. That these are less than one of a hundred takes
    some 30 s; in fewer the p99 is theirs, and the rate is low, so that they do not wait for each
    other.
    """

    rate: float
    postgres_kills: int
    quiet_seconds: float
    away_seconds: float
    worker_kills: int
    frozen_seconds: float
    full_seconds: float


_AMOUNTS = {
    SHORT.name: Amounts(15, 1, 1.5, 2.5, 3, 6, 2),
    LONG.name: Amounts(30, 10, 20, 60, 50, 30, 20),
}


def amounts(scale: Scale) -> Amounts:
    return _AMOUNTS[scale.name]
