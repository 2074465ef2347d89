"""Clients that come when they come: an open loop, on bare sockets.

Whoever waits for an answer before it asks again would spare a slow server; these do not. A latency
counts from the moment at which the request was due, or was sent, where a client that is itself late
would hide what a millisecond is made of.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_CONNECTIONS = 3000
LATE_SECONDS = 5.0  # after the last request: whoever is not answered then never was
_HEAD = re.compile(
    rb"HTTP/1\.1 (\d{3}) .*?\r\n(?:.*\r\n)*?content-length: (\d+)\r\n", re.IGNORECASE
)


@dataclass
class Told:
    """Of each request that was due, what became of it, and after how many seconds."""

    seconds: float = 0.0
    due: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    served: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)

    def note(self, status: int, took: float) -> None:
        self.statuses[status] += 1
        (self.served if status < 429 else self.refusals).append(took)

    @property
    def unanswered(self) -> int:
        return self.due - self.statuses.total()


class Connection(asyncio.Protocol):
    """One request at a time; `answered` is told of its status, 0 where the connection is lost."""

    def __init__(self, answered: Callable[["Connection", int], None]) -> None:
        self._answered = answered
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self.due = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # asyncio types a base transport
        self._transport = transport

    def ask(self, request: bytes, due: float) -> None:
        self.due = due
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        told = _HEAD.match(head + b"\r\n")
        assert told is not None, head
        if len(body) >= int(told[2]):
            self._buffer = b""
            self._answered(self, int(told[1]))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._answered(self, 0)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


@dataclass
class Clients:
    """Send what `request` makes to a port of this machine."""

    port: int
    request: Callable[[], bytes]
    from_sending: bool = False
    _free: list[Connection] = field(default_factory=list)
    _all: set[Connection] = field(default_factory=set)
    _asking: set["asyncio.Task[None]"] = field(default_factory=set)
    _told: Told = field(default_factory=Told)
    _closing: bool = False

    async def open_loop(self, rate: float, seconds: float) -> Told:
        """`rate` requests a second, whatever becomes of them."""
        told = self._told = Told(seconds)
        began = time.perf_counter()
        while (now := time.perf_counter() - began) < seconds:
            while told.due < now * rate:
                self._send(began + told.due / rate)
                told.due += 1
            await asyncio.sleep(0.001)
        ends = time.perf_counter() + LATE_SECONDS
        while told.unanswered and time.perf_counter() < ends:  # noqa: ASYNC110  # also by nobody
            await asyncio.sleep(0.02)
        await self._close()
        return told

    async def closed_loop(self, clients: int, seconds: float) -> float:
        """What the server answers a second to so many who wait for one another's answer."""
        told = self._told = Told(seconds)
        began = time.perf_counter()
        while (now := time.perf_counter()) - began < seconds:
            while told.unanswered < clients:
                told.due += 1
                self._send(now)
            await asyncio.sleep(0)
        done = len(told.served)
        await self._close()
        return done / seconds

    def _send(self, due: float) -> None:
        if self._free:
            self._ask(self._free.pop(), due)
        elif len(self._all) + len(self._asking) < MOST_CONNECTIONS:
            task = asyncio.get_running_loop().create_task(self._connect(due))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _connect(self, due: float) -> None:
        made = Connection(self._answered)
        try:
            await asyncio.get_running_loop().create_connection(lambda: made, "127.0.0.1", self.port)
        except OSError:
            return
        self._all.add(made)
        self._ask(made, due)

    def _ask(self, connection: Connection, due: float) -> None:
        request = self.request()
        connection.ask(request, time.perf_counter() if self.from_sending else due)

    def _answered(self, connection: Connection, status: int) -> None:
        if status:
            self._told.note(status, time.perf_counter() - connection.due)
            self._free.append(connection)
        else:
            self._all.discard(connection)
            if connection in self._free:
                self._free.remove(connection)

    async def _close(self) -> None:
        for task in self._asking:
            task.cancel()
        for connection in list(self._all):
            connection.close()
        await asyncio.sleep(0.1)
        self._free.clear()
        self._all.clear()
