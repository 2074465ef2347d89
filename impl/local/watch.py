"""What the guardian runs, as a script: only the standard library, so that it is there in 20 ms.

Waits until standard input ends, then ends every other process of its own group.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

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
        # PermissionError: what macOS says of zombies.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, which)
        deadline = time.monotonic() + seconds
        while _has_members(group):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return


def _has_members(group: int) -> bool:
    """Look into /proc: the dead remain in their group until someone reaps them, if anyone does."""
    if not Path("/proc/self/stat").exists():
        return _takes_signals(group)
    return any(_is_member(process, group) for process in Path("/proc").glob("[0-9]*"))


def _is_member(process: Path, group: int) -> bool:
    try:
        state, _, its_group = (process / "stat").read_bytes().rpartition(b")")[2].split()[:3]
    except OSError:
        return False
    return int(its_group) == group and state not in (b"Z", b"X")


def _takes_signals(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    _until_starter_is_gone()
    _end(_leave_group())
