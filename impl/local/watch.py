"""What the guardian runs, as a script: only the standard library, so that it is there in 20 ms.

Waits until standard input ends, then ends every other process of its own group.
"""

import os
import signal
import time

# From asking to forcing: SIGTERM lets PostgreSQL wait for its clients, SIGINT makes it close them.
STEPS = ((signal.SIGTERM, 2.5), (signal.SIGINT, 1.5), (signal.SIGKILL, 0.5))


def _until_starter_is_gone() -> None:
    for which in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(which, signal.SIG_IGN)
    while os.read(0, 1024):
        pass


def _leave_group() -> int:
    """Go on as a process outside the group, whose leader ends here; return the group's id."""
    group = os.getpgrp()
    if os.fork():
        os._exit(0)
    os.setpgid(0, 0)
    return group


def _end(group: int) -> None:
    for which, seconds in STEPS:
        if not _signal(group, which):
            return
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not _signal(group, 0):
                return
            time.sleep(0.01)


def _signal(group: int, which: int) -> bool:
    """Return whether the group has a member."""
    try:
        os.killpg(group, which)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # macOS says so of a group that has only zombies
    return True


if __name__ == "__main__":
    _until_starter_is_gone()
    _end(_leave_group())
