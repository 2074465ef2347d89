"""Runs `botcore` as people do: a process, its arguments, its environment, its input."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.patience import PATIENT_SECONDS

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


async def start(
    *arguments: str, env: Mapping[str, str], directory: Path, pass_fds: tuple[int, ...] = ()
) -> asyncio.subprocess.Process:
    inherited = {name: value for name, value in os.environ.items() if "BOTCORE" not in name}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-X", "utf8", "-W", "error", "-m", "impl.cli", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**inherited, "PYTHONPATH": str(ROOT), **env},
        cwd=directory,
        pass_fds=pass_fds,
        preexec_fn=_obey_interrupts,
    )


def _obey_interrupts() -> None:
    """A shell has what it starts in the background ignore them, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def end(process: asyncio.subprocess.Process, typed: str | None = None) -> Ended:
    given = None if typed is None else typed.encode()
    out, err = await asyncio.wait_for(process.communicate(given), PATIENT_SECONDS)
    assert process.returncode is not None
    ended = Ended(process.returncode, out.decode(), err.decode())
    assert "Traceback" not in ended.err, ended.err
    return ended


async def botcore(
    *arguments: str, env: Mapping[str, str], directory: Path, typed: str = ""
) -> Ended:
    return await end(await start(*arguments, env=env, directory=directory), typed)


@asynccontextmanager
async def running(
    *arguments: str, env: Mapping[str, str], directory: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of ours, ready; it must end well when it is told to, if it still runs then."""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    try:
        process = await start(
            *arguments, env={**env, "BOTCORE_READY_FD": str(writing)}, directory=directory,
            pass_fds=(writing,),
        )  # fmt: skip
    finally:
        os.close(writing)
    try:
        said = await asyncio.to_thread(os.read, reading, 16)
        assert said == b"ready\n", (await end(process)).err
        yield process
        if process.returncode is None:
            process.terminate()
            assert (await end(process)).code in {0, -signal.SIGTERM}  # uvicorn raises it again
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
