"""Looks at the processes of this machine, as the kernel tells of them in /proc."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path


async def until(condition: Callable[[], object], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    return _state(pid) not in ("", "Z")


def group_members(group: int) -> list[int]:
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [pid for pid in pids if alive(pid) and _group(pid) == group]


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def _fields(pid: int) -> list[str]:
    try:
        # The name, in brackets, may hold anything.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _state(pid: int) -> str:
    return (_fields(pid) or [""])[0]


def _group(pid: int) -> int:
    return int((_fields(pid) or ["", "", "0"])[2])
