"""The folder in which the processes of an instance keep their metrics for one another.

Its files are the client library's, mapped into memory. They are named by a process's number and
not by its pid: one that is started again goes on with the counters of the one before it, so that
none ever falls, and files do not pile up.
"""

import os
from collections.abc import Sequence
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # by which the client library is told of it
_PROCESSES = "processes"


def name_processes(folder: Path, pids: Sequence[int]) -> None:
    """Written by the supervisor, which is the first of them."""
    written = folder / f"{_PROCESSES}.new"
    written.write_text(" ".join(map(str, (os.getpid(), *pids))))
    written.replace(folder / _PROCESSES)


def processes(folder: Path) -> list[int]:
    """The pids of all, the supervisor's first."""
    return [int(pid) for pid in (folder / _PROCESSES).read_text().split()]


def forget_gauges(folder: Path, number: int) -> None:
    """Of a process that is gone: what they said is so no more."""
    for gauges in folder.glob(f"gauge_*_{number}.db"):
        gauges.unlink()
