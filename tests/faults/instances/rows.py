"""The rows of the group `instances`."""

from tests.faults.groups import Fault
from tests.faults.instances import aborts, clocks, killing, restarts

ROWS = [
    Fault("instances", "kill -9 of an instance under load", killing.run),
    Fault("instances", "rolling restarts under load", restarts.run),
    Fault("instances", "clients hang up at any moment", aborts.run),
    Fault("instances", "clocks that are an hour wrong", clocks.run),
]
