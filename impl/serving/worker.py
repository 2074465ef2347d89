"""One process of several: how it is started, and how its end is found."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping
from signal import SIGKILL, Signals

import structlog

log = structlog.get_logger()

TICK_SECONDS = 1.0
START_TICKS = 60
SILENT_TICKS = 30


class Worker:
    """Ready since its first sign of life. Who gives none for SILENT_TICKS is killed: behind a
    port that others serve too, nobody's probe finds one that is stuck."""

    def __init__(
        self,
        number: int,
        process: asyncio.subprocess.Process,
        when_ready: Callable[[], None],
    ) -> None:
        self.number = number
        self.ready = False
        self._process = process
        self._began = time.monotonic()
        self._when_ready = when_ready

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lived_seconds(self) -> float:
        return time.monotonic() - self._began

    def signal(self, which: Signals) -> None:
        if self._process.returncode is None:
            self._process.send_signal(which)

    async def ended(self, pulse: asyncio.StreamReader) -> int:
        """Its exit code, below 0 the signal, once it has ended."""
        watching = asyncio.create_task(self._watch(pulse))
        try:
            return await self._process.wait()
        finally:
            watching.cancel()

    async def _watch(self, pulse: asyncio.StreamReader) -> None:
        """By ticks and not by a clock: one that is paused with its supervisor is not silent."""
        silent = 0
        while silent < (SILENT_TICKS if self.ready else START_TICKS):
            try:
                async with asyncio.timeout(TICK_SECONDS):
                    if not await pulse.read(1024):
                        return
            except TimeoutError:
                silent += 1
                continue
            silent = 0
            if not self.ready:
                self.ready = True
                self._when_ready()
        log.error("process_silent", process=self.number, pid=self.pid)
        self.signal(SIGKILL)


def command(number: int, pulse: int) -> list[str]:
    return [sys.executable, "-m", "impl.cli", "serve-process", str(number), str(pulse)]


async def start(
    number: int, env: Mapping[str, str], group: int
) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader]:
    """The process, in the guardian's group, and what it says of itself."""
    reading, writing = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *command(number, writing),
            stdin=asyncio.subprocess.DEVNULL,
            env=env,
            pass_fds=(writing,),
            process_group=group,
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    pulse = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(pulse),
        open(reading, "rb", 0),  # noqa: ASYNC230, PTH123, SIM115  # a descriptor, which the transport closes
    )
    return process, pulse
