"""1,000 idle readers of the event stream: what they cost, also those who send messages meanwhile.

Each follows the events of a dialog of its own, in which nobody speaks: every event is held against
what each asked for, and none is sent. The settings are the product's: 20 readers a token.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from impl.tokens.issue import issue
from tests.faults.errors import CannotRunError
from tests.load.bench.alone import Stage, stage, working
from tests.load.bench.part import Part, Progress, Size
from tests.load.bench.requests import Request
from tests.load.measures import Caller, Send, good_traffic
from tests.load.usage import processor_seconds

READERS, OF_A_TOKEN = 1000, 20
RATE = 50.0
CONNECTING = 50  # at once
SETTLES_SECONDS = 0.7  # who came and who left
PATH = "/api/v1/plugins/events/stream?dialog_id="


async def _run(size: Size, progress: Progress) -> Mapping[str, Any]:
    rounds, seconds = (2, 1.5) if size.short else (5, 6.0)
    async with stage() as built, working(built.world):
        tokens = [
            await issue(built.pool, "admin", scopes=["telemetry:read"])
            for _ in range(READERS // OF_A_TOKEN)
        ]
        requests = [
            Request("GET", f"{PATH}{uuid4()}", {"X-Admin-Key": token.plaintext})
            for token in tokens
            for _ in range(OF_A_TOKEN)
        ]
        send = Caller(built.world.bot.session, built.world.bot.token).message(
            built.core, built.user_id
        )
        await good_traffic(send, RATE, 1.0)  # warms up
        found: dict[str, list[_Seen]] = {"without": [], "with": []}
        for number in range(1, rounds + 1):
            found["without"].append(await _seen(built, send, seconds))
            async with _readers(built, requests):
                found["with"].append(await _seen(built, send, seconds))
            progress(f"round {number} of {rounds}")
    return {
        "readers": READERS,
        "messages_a_second": RATE,
        **{
            name: {
                "mib": seen[0].mib,
                "idle_processor_share": median(each.idle for each in seen),
                "message_p50_ms": median(each.p50 for each in seen),
            }
            for name, seen in found.items()
        },
        "kib_a_reader": (found["with"][0].mib - found["without"][0].mib) * 1024 / READERS,
        "kept": {},
    }


@dataclass(frozen=True)
class _Seen:
    """`idle`: of one processor, while nobody sends anything."""

    mib: float
    idle: float
    p50: float


async def _seen(built: Stage, send: Send, seconds: float) -> _Seen:
    await asyncio.sleep(SETTLES_SECONDS)
    before = processor_seconds(built.core.child.pid)
    await asyncio.sleep(seconds)
    idle = (processor_seconds(built.core.child.pid) - before) / seconds
    mib = built.core.memory_kib / 1024
    return _Seen(mib, idle, (await good_traffic(send, RATE, seconds)).p50)


class _Reader(asyncio.Protocol):
    """`begun` is done when the stream's first block is there."""

    def __init__(self) -> None:
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        if self.begun.done():
            return
        self._buffer += data
        _, _, told = self._buffer.partition(b"\r\n\r\n")
        if not self._buffer.startswith(b"HTTP/1.1 200"[: len(self._buffer)]):
            self.begun.set_exception(CannotRunError(f"a reader was told {self._buffer[:200]!r}"))
        elif b"\n\n" in told:
            self.begun.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.begun.done():
            self.begun.set_exception(CannotRunError("a reader was cut off"))


@asynccontextmanager
async def _readers(built: Stage, requests: list[Request]) -> AsyncIterator[None]:
    loop, port = asyncio.get_running_loop(), urlsplit(built.core.url).port or 0
    at_once, opened = asyncio.Semaphore(CONNECTING), []

    async def follow(request: Request) -> None:
        async with at_once:
            transport, reader = await loop.create_connection(_Reader, "127.0.0.1", port)
            opened.append(transport)
            transport.write(request())
            await reader.begun

    try:
        await asyncio.gather(*map(follow, requests))
        yield
    finally:
        for transport in opened:
            transport.close()


STREAMS = Part("streams", "1,000 idle readers of events", _run)
