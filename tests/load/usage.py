"""Processor time and memory of processes, as /proc tells them."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from impl.db import Executor

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") / 1024


@dataclass(frozen=True)
class Watched:
    """Processes by name; of each its children too, those that have ended as well."""

    pids: Mapping[str, int]

    def seconds(self) -> dict[str, float]:
        """User and system time of each since it started."""
        return {name: processor_seconds(pid) for name, pid in self.pids.items()}


def processor_seconds(pid: int) -> float:
    """User and system time of the process and of its children."""
    ended = sum(int(field) for field in _stat(pid)[13:15])
    return _own(pid) + ended / TICKS + sum(processor_seconds(child) for child in _children(pid))


def _own(pid: int) -> float:
    """From its clock: /proc counts in hundredths of a second."""
    try:
        return time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3) of Linux
    except OSError:  # it is gone
        return 0.0


def memory_mib(pid: int) -> float:
    """What of it is in memory now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_KIB / 1024


async def postmaster(executor: Executor) -> int:
    """The pid of the server that `executor` asks, which is on this machine."""
    return int(_stat(await executor.fetchval("SELECT pg_backend_pid()"))[1])


async def postgres_pid(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return await postmaster(connection)
    finally:
        await connection.close()


async def valkey_pid(url: str) -> int:
    async with Redis.from_url(url) as redis:
        return int((await redis.info("server"))["process_id"])


def _stat(pid: int) -> list[str]:
    """The fields after the name, from the state on; none of a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["0"] * 15


def _children(pid: int) -> list[int]:
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for child in found.split()]
