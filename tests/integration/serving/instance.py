"""An instance of several processes, seen from outside."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.patience import PATIENT_SECONDS
from tests.scrape import Scrape, read


@dataclass(frozen=True)
class Instance:
    environment: dict[str, str]

    async def get(self, path: str, times: int = 1) -> list[int]:
        """The statuses of as many answers, each on a connection of its own: whoever takes it."""
        return [status for status, _ in [await self._get("PORT", path) for _ in range(times)]]

    async def scrape(self) -> Scrape:
        status, body = await self._get("METRICS_PORT", "/metrics")
        assert status == 200
        return read(body)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['BOTCORE_PORT']}"

    async def _get(self, port: str, path: str) -> tuple[int, bytes]:
        url = f"http://127.0.0.1:{self.environment[f'BOTCORE_{port}']}{path}"
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session,
            session.get(url) as answer,
        ):
            return answer.status, await answer.read()


@dataclass
class Log:
    """What a running process says, a line at a time."""

    stream: asyncio.StreamReader

    async def until(self, event: str, times: int = 1, **members: object) -> list[dict[str, object]]:
        """The lines of this event with these members, as soon as there are as many."""
        found: list[dict[str, object]] = []
        async with asyncio.timeout(PATIENT_SECONDS):
            while len(found) < times:
                line = await self.stream.readline()
                assert line, f"it ended without {event}"
                said = json.loads(line)
                found += [said] if {**said, **members, "event": event} == said else []
        return found


def processes_of(pid: int) -> list[int]:
    """The pids of those that serve, by their parent."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if b"serve-process" in command(int(child))]


def command(pid: int) -> bytes:
    """Its command line; nothing where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


async def gone(pids: list[int]) -> None:
    async with asyncio.timeout(PATIENT_SECONDS):
        while any(command(pid) for pid in pids):  # noqa: ASYNC110  # the kernel tells nobody
            await asyncio.sleep(0.02)
