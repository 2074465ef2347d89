"""A proxy before PostgreSQL that counts round trips, and can cut the line."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

READY_FOR_QUERY = ord("Z")


@dataclass
class Proxy:
    """`round_trips` counts the server's ReadyForQuery messages: one ends each exchange."""

    target: tuple[str, int]
    dsn: str = ""
    round_trips: int = 0
    refusing: bool = False
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        up_reader, up_writer = await asyncio.open_connection(*self.target)
        self.writers |= {writer, up_writer}
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, up_writer))
                group.create_task(self._count(up_reader, writer))
        self.writers -= {writer, up_writer}

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _count(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The server's messages, each a type byte and a length that counts itself."""
        try:
            while True:
                head = await reader.readexactly(5)
                rest = await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
                self.round_trips += head[0] == READY_FOR_QUERY
                writer.write(head + rest)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def cut(self) -> None:
        """As when the server is killed: every connection is reset, and new ones are refused."""
        self.refusing = True
        for writer in self.writers:
            writer.transport.abort()

    def mend(self) -> None:
        self.refusing = False


@asynccontextmanager
async def proxy_before(dsn: str) -> AsyncIterator[Proxy]:
    parts = urlsplit(dsn)
    proxy = Proxy((parts.hostname or "127.0.0.1", parts.port or 5432))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    credentials = parts.netloc.rpartition("@")[0]
    place = f"{credentials}@127.0.0.1:{port}"
    # The proxy reads the protocol, so it must be plain.
    proxy.dsn = urlunsplit(parts._replace(netloc=place, query="sslmode=disable"))
    try:
        yield proxy
    finally:
        proxy.cut()
        server.close()
