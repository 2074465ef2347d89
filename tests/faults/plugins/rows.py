"""The rows of the group `plugins`."""

from tests.faults.groups import Fault
from tests.faults.plugins import beside, killed, misbehaving, storm, watchers


def _beside(wrong: beside.Wrong) -> Fault:
    return Fault("plugins", f"beside a plugin that {wrong.does}", beside.row_of(wrong))


# Of `make test`: it shares the machine with others, where one of the rows beside says it all.
TESTED_ROWS = [
    Fault("plugins", "a plugin misbehaves", misbehaving.run),
    Fault("plugins", "50 posts of one message at once", storm.run),
    Fault("plugins", "kill -9 amid 100 calls", killed.run),
    Fault("plugins", "two watchers", watchers.run),
    _beside(beside.HANGS),
]
ROWS = [*TESTED_ROWS, *map(_beside, beside.OTHERS)]
