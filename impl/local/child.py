"""One process that we start: its log, its signals, its orderly end."""

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Self

RUN_SECONDS = 60.0


class LocalError(Exception):
    """What went wrong on this machine, told so that the reader knows what to do next."""


@dataclass(slots=True)
class Child:
    name: str
    log: Path
    log_start: int
    process: asyncio.subprocess.Process

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str],
        group: int | None = None,
        stdin: int = asyncio.subprocess.DEVNULL,
        keep: Sequence[int] = (),
    ) -> Self:
        """Start `command` in process group `group` (by default a new one), appending to `log`.

        Never in the terminal's group: Ctrl-C is for the supervisor alone. `keep` are descriptors
        that the process inherits.
        """
        output = _open_log(log)
        log_start = os.fstat(output).st_size
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=stdin,
                stdout=output,
                stderr=output,
                env=env,
                pass_fds=keep,
                process_group=group or 0,
            )
            return cls(name, log, log_start, process)
        finally:
            os.close(output)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        return self.process.returncode

    async def wait(self) -> int:
        return await self.process.wait()

    def signal(self, which: Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(which)

    async def stop(self, *steps: tuple[Signals, float]) -> int:
        """Send each signal in turn and give it its seconds, SIGKILL at last; the exit code."""
        for which, seconds in steps:
            self.signal(which)
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(self.wait(), seconds)
        self.signal(SIGKILL)
        return await self.wait()

    def output(self) -> str:
        """Return what this run wrote to its log, its last 64 KiB at most."""
        with self.log.open("rb") as log:
            log.seek(max(self.log_start, os.fstat(log.fileno()).st_size - 64 * 1024))
            return log.read().decode(errors="replace")

    def tail(self, lines: int = 20) -> str:
        return "\n".join(self.output().splitlines()[-lines:])


def _open_log(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


async def run(
    command: Sequence[str | Path], *, env: Mapping[str, str], group: int | None, stdin: str = ""
) -> str:
    """Run a command that ends by itself within a minute; its output, or LocalError with it."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=env,
        process_group=group or 0,
    )
    try:
        raw, _ = await asyncio.wait_for(process.communicate(stdin.encode()), RUN_SECONDS)
    except TimeoutError:
        raise LocalError(f"{command[0]} was not done after {RUN_SECONDS:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    output = raw.decode(errors="replace").strip()
    if process.returncode != 0:
        raise LocalError(f"{command[0]} failed with code {process.returncode}:\n{output}")
    return output
