"""The rows of the group `plugins`."""

from tests.faults.groups import Fault
from tests.faults.plugins import beside, killed, misbehaving, storm, watchers

ROWS = [
    Fault("plugins", "a plugin misbehaves", misbehaving.run),
    Fault("plugins", "50 posts of one message at once", storm.run),
    Fault("plugins", "kill -9 amid 100 calls", killed.run),
    Fault("plugins", "two watchers", watchers.run),
    Fault("plugins", "a hung plugin beside others", beside.run),
]
