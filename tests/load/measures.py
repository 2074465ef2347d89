"""What is measured of one running API: times of refusals, processor time, the others' p99."""

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp

from tests.faults.errors import CannotRunError
from tests.faults.processes import Process
from tests.load.bench.requests import Request, closed_loop
from tests.load.usage import processor_seconds
from tools.contract import ROOT

WARM = 30
CONNECTIONS = 16

Send = Callable[[], Awaitable[int]]


@dataclass(frozen=True)
class Caller:
    session: aiohttp.ClientSession
    token: str

    def message(self, core: Process, user_id: str) -> Send:
        body = {"user_id": user_id, "payload": {"type": "text", "text": "hello"}}

        async def send() -> int:
            path = f"/api/v1/dialogs/{uuid4()}/messages"
            return await self._send(core, "POST", path, json=body)

        return send

    def dialog(self, core: Process, dialog_id: object, token: str | None = None) -> Send:
        async def send() -> int:
            return await self._send(core, "GET", f"/api/v1/dialogs/{dialog_id}", token)

        return send

    async def _send(
        self, core: Process, method: str, path: str, token: str | None = None, **options: Any
    ) -> int:
        headers = {"X-Bot-Token": token or self.token}
        url = core.url + path
        async with self.session.request(method, url, headers=headers, **options) as response:
            await response.read()
            return response.status


async def medians(ways: Mapping[str, tuple[Send, int]], rounds: int) -> dict[str, float]:
    """Milliseconds of each, one request at a time, by turns: what else happens meets them alike.

    In another order each time: who follows an argon2 finds the processor's caches cold.
    """
    took: dict[str, list[float]] = {name: [] for name in ways}
    order = random.Random(7)
    for number in range(rounds + WARM):
        for name in order.sample(sorted(ways), len(ways)):
            send, wanted = ways[name]
            began = time.perf_counter()
            status = await send()
            seconds = time.perf_counter() - began
            if status != wanted:
                raise CannotRunError(f"{name} was answered {status}, not {wanted}")
            if number >= WARM:
                took[name].append(seconds * 1000)
    return {name: median(found) for name, found in took.items()}


async def processor_ms(core: Process, request: Request, number: int) -> float:
    """Of the process for each of so many requests, as many connections as it can work for."""
    before = processor_seconds(core.child.pid)
    await closed_loop(core.url, request, CONNECTIONS, most=number)
    return (processor_seconds(core.child.pid) - before) / number * 1000


@dataclass(frozen=True)
class Traffic:
    """`told`: answers by status; milliseconds from when a request was due, so that none is
    forgiven because the one before it was late."""

    p50: float
    p99: float
    told: dict[str, int]


async def good_traffic(send: Send, rate: float, seconds: float) -> Traffic:
    took: list[float] = []
    told: dict[str, int] = {}

    async def one(due: float) -> None:
        status = str(await send())
        took.append((time.monotonic() - due) * 1000)
        told[status] = told.get(status, 0) + 1

    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(due - time.monotonic(), 0))
            group.create_task(one(due))
    cuts = quantiles(took, n=100)
    return Traffic(cuts[49], cuts[98], told)


async def flood(core: Process, rate: float, seconds: float, *, many: bool) -> "Flood":
    place = urlsplit(core.url)
    options = ["--rate", str(rate), "--seconds", str(seconds), *(["--many"] if many else [])]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.load.bad_tokens", str(place.hostname), str(place.port)),
        *options,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    return Flood(process)


@dataclass(frozen=True)
class Flood:
    process: asyncio.subprocess.Process

    async def ended(self) -> dict[str, Any]:
        out, _ = await self.process.communicate()
        if self.process.returncode:
            raise CannotRunError("the bad tokens were not sent to their end")
        found: dict[str, Any] = json.loads(out)
        return found
