"""Nothing stays behind: a process that ends all the others when the one that began them is gone.

The guardian leads a process group that every other process is started into, and reads a pipe whose
one writer is the supervisor. However the supervisor ends, kill -9 included, the kernel closes the
pipe; the guardian then ends the group. A child is in the group before it runs its first line, so
that there is no list of pids to keep and no moment in which a child is not on it.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from signal import SIGKILL
from types import TracebackType
from typing import Self

from impl.local import watch


class Guardian:
    """`keep`: descriptors (a lock) that it holds until the last process of its group is gone."""

    def __init__(self, keep: Sequence[int] = ()) -> None:
        self._keep = keep
        self._process: asyncio.subprocess.Process | None = None

    @property
    def process(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("the guardian was not started")
        return self._process

    @property
    def group(self) -> int:
        return self.process.pid

    async def start(self) -> int:
        """Return the process group to start the others in."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(Path(watch.__file__))),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=self._keep,
            # The supervisor's session, as a group can only be joined from within its session.
            process_group=0,
        )
        return self.group

    async def wait(self) -> int:
        return await self.process.wait()

    def kill(self) -> None:
        """End the group, the guardian with it, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.group, SIGKILL)

    async def close(self) -> None:
        """End what is left of the group; return when it is gone, within 5 s."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        if self.process.stdout is not None:
            # It writes nothing, and the end comes when its last process ends.
            await self.process.stdout.read()
        await self.process.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
