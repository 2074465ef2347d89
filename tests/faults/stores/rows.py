"""The rows of the group `stores`."""

from tests.faults.groups import Fault
from tests.faults.stores import full, killed, redis_gone, workers
from tests.faults.stores.redis_ways import WAYS

ROWS = [
    Fault("stores", "kill -9 of PostgreSQL", killed.run),
    Fault("stores", "disk full for PostgreSQL", full.run),
    *(Fault("stores", f"Redis {way.name}", redis_gone.row_of(way)) for way in WAYS),
    Fault("stores", "workers are killed and stopped", workers.run),
]
