"""The rows of the group `stores`."""

from tests.faults.groups import Fault
from tests.faults.stores import full, killed, workers

ROWS = [
    Fault("stores", "kill -9 of PostgreSQL", killed.run),
    Fault("stores", "disk full for PostgreSQL", full.run),
    Fault("stores", "workers are killed and stopped", workers.run),
]
