"""Servers on bare sockets of which nothing is left once they end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakSet

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
TURN_SECONDS = 0.001


@asynccontextmanager
async def listening(serve: Serve, **options: int) -> AsyncIterator[int]:
    """The port, on loopback. In the end `serve` is cancelled and every connection closed, one that
    was accepted just now too."""
    tasks: set[asyncio.Task[None]] = set()
    # The loop holds those that are open, and a long run has thousands that are not.
    writers: WeakSet[asyncio.StreamWriter] = WeakSet()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except BaseException:
            writer.transport.abort()
            raise

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        task = asyncio.create_task(talk(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(begin, "127.0.0.1", 0, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        # asyncio drops, unclosed, what is accepted and has no transport when the server closes.
        # It has one after a timer, which is dealt with behind what was accepted in its turn.
        await asyncio.sleep(TURN_SECONDS)
        server.close()
        await asyncio.sleep(0)  # the last of them begin
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)  # they close
