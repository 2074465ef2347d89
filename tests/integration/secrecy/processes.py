"""Processes of ours whose words are kept."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.cli.commands import ROOT
from tests.patience import PATIENT_SECONDS
from tests.ports import spare_port


@dataclass
class Processes:
    """Of ours, each with a log in `folder`: a pipe that nobody empties would stop it."""

    folder: Path
    environment: dict[str, str]
    said: dict[str, str] = field(default_factory=dict)

    @asynccontextmanager
    async def running(self, name: str, *command: str, **more: str) -> AsyncIterator[int]:
        """A process that is ready; its port. It is stopped in the end."""
        port = spare_port()
        reading, writing = os.pipe()
        os.set_inheritable(writing, True)
        ports = {"BOTCORE_PORT": str(port), "BOTCORE_TEXT_REPLY_PORT": str(port)}
        try:
            process = await self.start(
                name, *command, pass_fds=(writing,), BOTCORE_READY_FD=str(writing), **ports, **more
            )
        finally:
            os.close(writing)
        try:
            said = await asyncio.to_thread(os.read, reading, 16)
            assert said == b"ready\n", self.log(name).read_text()
            yield port
        finally:
            os.close(reading)
            await self.stop(name, process)

    async def start(
        self, name: str, *command: str, pass_fds: tuple[int, ...] = (), **more: str
    ) -> asyncio.subprocess.Process:
        inherited = {name: value for name, value in os.environ.items() if "BOTCORE" not in name}
        with self.log(name).open("wb") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", *command, cwd=self.folder, stdout=log, stderr=log,
                env={**inherited, "PYTHONPATH": str(ROOT), **self.environment, **more},
                pass_fds=pass_fds,
            )  # fmt: skip

    async def stop(self, name: str, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(PATIENT_SECONDS):
            await process.wait()
        self.said[name] = self.log(name).read_text()

    async def ended(self, name: str, *command: str) -> int:
        """The exit code of a command that ends by itself."""
        process = await self.start(name, "impl.cli", *command)
        async with asyncio.timeout(PATIENT_SECONDS):
            code = await process.wait()
        self.said[name] = self.log(name).read_text()
        return code

    def log(self, name: str) -> Path:
        return self.folder / f"{name.replace(' ', '-').replace('/', '')}.log"
