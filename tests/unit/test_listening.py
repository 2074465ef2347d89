"""Whenever a server of the suite ends, its connections do."""

import asyncio
import gc
import socket

import pytest

from tests.listening import Serve, listening

SECONDS = 10.0


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def careless(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    pass


async def ends(connection: socket.socket) -> bool:
    try:
        async with asyncio.timeout(SECONDS):
            return await asyncio.get_running_loop().sock_recv(connection, 1) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("serve", [silent, careless])
@pytest.mark.parametrize("turns", range(6))  # of the loop, that a connection is old
async def test_a_connection_ends_with_its_server(turns: int, serve: Serve) -> None:
    with socket.socket() as connection:
        connection.setblocking(False)
        async with listening(serve) as port:
            connection.connect_ex(("127.0.0.1", port))
            for _ in range(turns):
                await asyncio.sleep(0)
        gc.collect()
        assert await ends(connection)


async def test_what_fails_hangs_up() -> None:
    failed: list[str] = []

    async def failing(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        raise KeyError("x")

    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _loop, context: failed.append(context["message"]))
    try:
        async with listening(failing) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.timeout(SECONDS):
                assert await reader.read() == b""
            writer.close()
        gc.collect()
    finally:
        loop.set_exception_handler(before)
    assert failed
