"""The folder in which the processes of an instance keep their metrics for one another.

Its files are the client library's, mapped into memory. They are named by a process's number and
not by its pid: one that is started again goes on with the counters of the one before it, so that
none ever falls, and files do not pile up.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # by which the client library is told of it
MEMORY = Path("/dev/shm")  # noqa: S108  # nosec B108  # a folder of our own is made in it
_PREFIX = "botcore-metrics-"
_PROCESSES = "processes"
_LOCK = "lock"


@contextmanager
def own_folder() -> Iterator[Path]:
    """A supervisor's, in memory where there is such a place; gone with it. What supervisors that
    were killed have left is removed."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    _remove_left(place)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=place) as name:
        new = Path(name) / f"{_LOCK}.new"
        with new.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            new.rename(new.with_name(_LOCK))  # held, before another supervisor can find it
            yield Path(name)


def _remove_left(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (folder / _LOCK).open() as lock:  # another's, or held
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)


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
