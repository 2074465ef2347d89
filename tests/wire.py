"""Proxies before PostgreSQL and Redis, which can cut the line or let it stall."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

from tests.listening import listening

READY_FOR_QUERY = ord("Z")
EXECUTE, QUERY = ord("E"), ord("Q")
L = TypeVar("L", bound="Line")


@dataclass
class Line:
    """What comes on one side goes out on the other, until it is cut or stalls."""

    target: tuple[str, int]
    url: str = ""
    refusing: bool = False
    delay: float = 0.0
    asked: int = 0  # what came of clients: pieces, and connections that were refused
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.flowing.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            self.asked += 1
            writer.transport.abort()
            return
        up_reader, up_writer = await asyncio.open_connection(*self.target)
        self.writers |= {writer, up_writer}
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pass_on(reader, up_writer, asks=True))
                    group.create_task(self._pass_back(up_reader, writer))
        finally:
            up_writer.transport.abort()
            self.writers -= {writer, up_writer}

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool = False
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                self.asked += asks
                await self.flowing.wait()
                await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _pass_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._pass_on(reader, writer)

    def cut(self) -> None:
        """As when the server is killed: every connection is reset, and new ones are refused."""
        self.refusing = True
        for writer in self.writers:
            writer.transport.abort()

    def stall(self) -> None:
        """As when the server hangs: it takes connections and requests, and answers nothing."""
        self.flowing.clear()

    def slow(self, seconds: float) -> None:
        """As when the server is overloaded: each way takes half of it."""
        self.delay = seconds / 2

    def mend(self) -> None:
        self.refusing, self.delay = False, 0.0
        self.flowing.set()


@dataclass
class Proxy(Line):
    """Before PostgreSQL. Each exchange ends with a ReadyForQuery: `round_trips` counts them."""

    round_trips: int = 0

    @property
    def dsn(self) -> str:
        return self.url

    async def _pass_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The server's messages, each a type byte and a length that counts itself."""
        try:
            while True:
                head = await reader.readexactly(5)
                rest = await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
                self.round_trips += head[0] == READY_FOR_QUERY
                writer.write(head + rest)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@dataclass
class CountingProxy(Proxy):
    """Counts `statements` too: each is one Execute, or one simple Query. It is never slow."""

    statements: int = 0

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool = False
    ) -> None:
        """The client's messages, of which the first has no type byte."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readexactly(4)
            while True:
                rest = await reader.readexactly(int.from_bytes(head[-4:], "big") - 4)
                await self.flowing.wait()
                writer.write(head + rest)
                head = await reader.readexactly(5)
                self.statements += head[0] in (EXECUTE, QUERY)
        writer.close()


@asynccontextmanager
async def counting_proxy_before(dsn: str) -> AsyncIterator[CountingProxy]:
    """Before PostgreSQL, as `proxy_before`."""
    async with _serving(CountingProxy(_place(dsn, 5432)), dsn, query="sslmode=disable") as proxy:
        yield proxy


@asynccontextmanager
async def proxy_before(dsn: str) -> AsyncIterator[Proxy]:
    """Before PostgreSQL. The proxy reads the protocol, so it must be plain."""
    async with _serving(Proxy(_place(dsn, 5432)), dsn, query="sslmode=disable") as proxy:
        yield proxy


@asynccontextmanager
async def line_before(url: str) -> AsyncIterator[Line]:
    """Before Redis."""
    async with _serving(Line(_place(url, 6379)), url) as line:
        yield line


def _place(url: str, usual_port: int) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or usual_port


@asynccontextmanager
async def _serving(line: L, url: str, **changed: str) -> AsyncIterator[L]:
    async with listening(line.serve) as port:
        parts = urlsplit(url)
        credentials = parts.netloc.rpartition("@")[0]
        line.url = urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{port}", **changed))
        try:
            yield line
        finally:
            line.mend()
            line.cut()
