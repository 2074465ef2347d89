"""Load from wrk, whose script makes messages."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.faults.errors import CannotRunError

MESSAGES = Path(__file__).with_name("message.lua")
MISSING = "wrk is not installed. On Debian and Ubuntu: apt-get install wrk"
TIMEOUT_SECONDS = 10
_seeds = count(1)


@dataclass(frozen=True)
class Load:
    """What wrk saw. Milliseconds of an answer; `acknowledged` were answered below 400."""

    answered: int
    seconds: float
    p50: float
    p95: float
    p99: float
    faults: Mapping[str, int]

    @property
    def acknowledged(self) -> int:
        return self.answered - self.faults["status"]

    @property
    def a_second(self) -> float:
        return self.acknowledged / self.seconds


def require_wrk() -> None:
    """Raises CannotRunError with what to install."""
    if shutil.which("wrk") is None:
        raise CannotRunError(MISSING)


async def send_messages(
    url: str, token: str, user_id: str, *, connections: int, seconds: int
) -> Load:
    """As many messages as `connections` get answered, each in a dialog of its own."""
    return await run_wrk(
        url, MESSAGES, token, user_id, str(next(_seeds)), connections=connections, seconds=seconds
    )


async def run_wrk(url: str, script: Path, *arguments: str, connections: int, seconds: int) -> Load:
    """Any script that ends as `message.lua` does. Raises CannotRunError where wrk fails."""
    require_wrk()
    # One thread: two processors have the servers to run.
    options = ("-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={TIMEOUT_SECONDS}s")
    process = await asyncio.create_subprocess_exec(
        *("wrk", *options, "-s", str(script), url, "--", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    lines = [line for line in out.decode().splitlines() if line.startswith("{")]
    if process.returncode or not lines:
        raise CannotRunError(f"wrk ended with {process.returncode}: {out.decode()}")
    return _read(json.loads(lines[-1]))


def _read(told: dict[str, Any]) -> Load:
    faults = {name: told[name] for name in ("connect", "read", "write", "status", "timeout")}
    return Load(
        answered=told["requests"],
        seconds=told["microseconds"] / 1e6,
        p50=told["p50"] / 1000,
        p95=told["p95"] / 1000,
        p99=told["p99"] / 1000,
        faults=faults,
    )
