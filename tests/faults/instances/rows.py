"""The rows of the group `instances`."""

from tests.faults.groups import Fault
from tests.faults.instances import killing, restarts

ROWS = [
    Fault("instances", "kill -9 of an instance under load", killing.run),
    Fault("instances", "rolling restarts under load", restarts.run),
]
