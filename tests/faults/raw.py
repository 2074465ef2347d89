"""A plugin on a bare socket, so that anything can be sent: well-formed HTTP is only one choice."""

import asyncio
import contextlib
import socket
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

from tests.faults.checker import Ledgers
from tests.listening import listening

HEAD_END = b"\r\n\r\n"
LONGEST_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """An `/invoke` as it came. `headers` have lower-case names."""

    at: float
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def invocation_id(self) -> str:
        return str(self.body["invocation_id"])

    @property
    def text(self) -> str:
        return str(self.body["payload"].get("text", ""))


@dataclass
class Line:
    """One connection of the core."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *parts: bytes) -> None:
        """Raises ConnectionError where the core is gone."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def until_closed(self) -> None:
        """Reads on, and does nothing, until the core hangs up."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass

    def reset(self) -> None:
        """RST, with nothing more sent."""
        found = self.writer.get_extra_info("socket")
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behaviour = Callable[[Line, Call], Awaitable[None]]
Greeting = Callable[[Line], Awaitable[None]]


@dataclass
class RawPlugin:
    """`/health` is good while `healthy`; `/invoke` does as `behave`, or each line as `greet`."""

    behave: Behaviour
    greet: Greeting | None = None
    healthy: bool = True
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    busy: int = 0

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(Line(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.transport.abort()

    async def _talk(self, line: Line) -> None:
        while not line.writer.transport.is_closing():
            head = [] if self.greet else await _head(line)
            if self.greet is not None:  # it may have become so while the line was idle
                await self.greet(line)
                return
            await self._respond(line, head)

    async def _respond(self, line: Line, head: list[str]) -> None:
        pairs = (row.partition(":") for row in head[1:])
        headers = {name.lower(): text.strip() for name, _, text in pairs}
        content = await line.reader.readexactly(int(headers.get("content-length", "0")))
        if head[0].startswith("GET /health"):
            status = "200 OK" if self.healthy else "503 Service Unavailable"
            await line.send(answer(b'{"status": "ok", "version": "1.0.0"}', status))
        elif head[0].startswith("POST /invoke"):
            call = Call(time.monotonic(), headers, orjson.loads(content))
            self.calls.append(call)
            self.busy += 1
            try:
                await self.behave(line, call)
            finally:
                self.busy -= 1
        else:
            await line.send(answer(b"{}", "404 Not Found"))


async def _head(line: Line) -> list[str]:
    """The lines of the next request's head."""
    return (await line.reader.readuntil(HEAD_END)).decode("latin-1").split("\r\n")


@asynccontextmanager
async def raw_plugin(behave: Behaviour) -> AsyncIterator[RawPlugin]:
    plugin = RawPlugin(behave)
    async with listening(plugin.serve, limit=LONGEST_HEAD, backlog=1024) as port:
        plugin.url = f"http://127.0.0.1:{port}"
        yield plugin


def answer(
    content: bytes, status: str = "200 OK", *headers: str, length: int | None = None
) -> bytes:
    """A whole response; `length` is what it claims to be long."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json",
             f"Content-Length: {len(content) if length is None else length}", *headers]  # fmt: skip
    return "\r\n".join(lines).encode() + HEAD_END + content


def said(call: Call, text: str = "done", **more: Any) -> bytes:
    """The JSON of a good answer."""
    return orjson.dumps({"text": text, "trace_id": call.body["trace_id"], **more})


async def good(line: Line, call: Call) -> None:
    await line.send(answer(said(call)))


@dataclass
class Worker:
    """A good plugin, idempotent by invocation_id: it acts on the first sight of an id only.

    `forgetful` is the mistake that the suite must catch: it acts each time.
    """

    ledgers: Ledgers = field(default_factory=Ledgers)
    deliveries: Counter[str] = field(default_factory=Counter)
    forgetful: bool = False
    holding: bool = False
    seconds: Callable[[], float] = lambda: 0.0
    done: dict[str, str] = field(default_factory=dict)

    async def behave(self, line: Line, call: Call) -> None:
        text = self.act(call)
        if self.holding:
            await line.until_closed()
            return
        if wait := self.seconds():
            await asyncio.sleep(wait)
        await line.send(answer(said(call, text)))

    def act(self, call: Call) -> str:
        """What was done: told again, not done again, where the id is known."""
        self.deliveries[call.invocation_id] += 1
        self.ledgers.ids[str(call.body["dialog_id"])].add(call.invocation_id)
        if call.invocation_id not in self.done or self.forgetful:
            self.ledgers.actions[call.invocation_id] += 1
            self.done[call.invocation_id] = f"{call.text}: {len(self.done)}"
        return self.done[call.invocation_id]
