"""The rows of the group `stores`."""

from tests.faults.groups import Fault
from tests.faults.stores import full, killed, operations, redis_gone, workers
from tests.faults.stores.redis_ways import WAYS, Way


def _redis(way: Way) -> Fault:
    return Fault("stores", f"Redis {way.name}", redis_gone.row_of(way))


# Of `make test`: what is left out differs from these in what Redis says when it is asked, which the
# tests of the degraded mode try with every operation.
STOPPED, FLUSHED, HUNG = "is stopped", "is flushed", "is a black hole"
TESTED_ROWS = [
    Fault("stores", "kill -9 of PostgreSQL", killed.run),
    Fault("stores", "disk full for PostgreSQL", full.run),
    Fault("stores", "workers are killed and stopped", workers.run),
    *(_redis(way) for way in WAYS if way.name in (STOPPED, FLUSHED, HUNG)),
]
ROWS = [
    *TESTED_ROWS,
    *(_redis(way) for way in WAYS if way.name not in (STOPPED, FLUSHED, HUNG)),
    Fault("stores", "every operation without Redis", operations.run),
]
