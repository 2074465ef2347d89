"""`botcore serve` and `botcore worker` as processes that may be killed and looked into."""

import asyncio
import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, SIGTERM

from impl.local.child import Child
from tests.faults.errors import CannotRunError
from tests.ports import spare_port
from tools.contract import ROOT

START_SECONDS = 60
KIB = 1024
# Of /proc/net/tcp: SYN_SENT, ESTABLISHED and CLOSE_WAIT are those that our side has not closed.
HELD = {"02", "01", "08"}


@dataclass
class Process:
    child: Child
    url: str = ""

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.child.signal(SIGKILL)
        await self.child.wait()

    async def stop(self) -> None:
        await self.child.stop((SIGTERM, 10.0))

    @property
    def alive(self) -> bool:
        return self.child.exit_code is None

    @property
    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.child.pid}/fd").iterdir()))

    @property
    def memory_kib(self) -> int:
        """What of it is in memory now."""
        pages = int(Path(f"/proc/{self.child.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // KIB

    @property
    def waited_ms(self) -> float:
        """How long it could have run and got no processor, since it started."""
        found = Path(f"/proc/{self.child.pid}/schedstat")
        return int(found.read_text().split()[1]) / 1e6 if found.exists() else 0.0

    def sockets_to(self, port: int) -> int:
        """Connections to `port` of this machine that it has not closed."""
        lines = Path(f"/proc/{self.child.pid}/net/tcp").read_text().splitlines()[1:]
        fields = [line.split() for line in lines]
        inodes = {row[9] for row in fields
                  if int(row[2].rpartition(":")[2], 16) == port and row[3] in HELD}  # fmt: skip
        return len(inodes & self._inodes())

    def _inodes(self) -> set[str]:
        found = set()
        for path in Path(f"/proc/{self.child.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                found.add(str(path.readlink()).removeprefix("socket:[").removesuffix("]"))
        return found


async def start(  # noqa: PLR0917  # what a process is made of
    command: str,
    settings: dict[str, str],
    log: Path,
    group: int,
    root: Path = ROOT,
    module: str = "impl.cli",
) -> Process:
    """`botcore serve` or `botcore worker` of the code in `root`, ready. Raises CannotRunError."""
    port = spare_port() if command == "serve" else 0
    reading, writing = os.pipe()
    kept = {name: text for name, text in os.environ.items() if not name.startswith("BOTCORE_")}
    ours = {**kept, **settings, "BOTCORE_PORT": str(port), "BOTCORE_READY_FD": str(writing),
            "PYTHONPATH": str(root), "PYTHONSAFEPATH": "1"}  # fmt: skip
    try:
        child = await Child.start(
            command, (sys.executable, "-m", module, command),
            log=log, env=ours, group=group, keep=(writing,),
        )  # fmt: skip
    finally:
        os.close(writing)
    await _until_ready(child, reading)
    return Process(child, f"http://127.0.0.1:{port}" if port else "")


async def _until_ready(child: Child, reading: int) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    said = b""

    def read() -> None:
        nonlocal said
        said = os.read(reading, 6)
        loop.remove_reader(reading)
        ready.set()

    loop.add_reader(reading, read)
    try:
        async with asyncio.timeout(START_SECONDS):
            await ready.wait()
    except TimeoutError:
        said = b""
    finally:
        loop.remove_reader(reading)
        os.close(reading)
    if not said:
        raise CannotRunError(f"botcore {child.name} did not start:\n{child.tail()}")
