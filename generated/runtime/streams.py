# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""An answer that goes on: sent as it comes, until it ends or nobody reads it any more."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from starlette.types import Message, Receive, Scope, Send

# Who takes nothing for so long is gone, or as good as gone.
SEND_SECONDS = 10.0
# Our server's: cuts the connection at once, where nothing that is sent would arrive any more.
ABORT = "botcore.abort"


class StalledError(Exception):
    """The caller takes nothing."""


class Chunks(Protocol):
    """What a stream is made of. It is closed however it ends, also where it never began."""

    def __aiter__(self) -> "Chunks": ...

    async def __anext__(self) -> bytes: ...

    async def aclose(self) -> None: ...


async def send_chunks(scope: Scope, receive: Receive, send: Send, chunks: Chunks) -> None:
    """Sends `chunks` to their end, or until the caller leaves or has read nothing for a while."""
    gone = asyncio.create_task(_gone(receive))
    sending = asyncio.create_task(_send_all(send, chunks))
    try:
        await asyncio.wait({gone, sending}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done() and isinstance(sending.exception(), StalledError):
            await _cut(scope, gone)
        elif sending.done():
            sending.result()
    finally:
        gone.cancel()
        sending.cancel()
        await asyncio.gather(gone, sending, return_exceptions=True)


async def _send_all(send: Send, chunks: Chunks) -> None:
    async for chunk in chunks:
        await _send(send, {"type": "http.response.body", "body": chunk, "more_body": True})
    await _send(send, {"type": "http.response.body", "body": b""})


async def _send(send: Send, message: Message) -> None:
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await send(message)
    except TimeoutError:
        raise StalledError from None


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut(scope: Scope, gone: "asyncio.Task[None]") -> None:
    abort: Callable[[], None] | None = (scope.get("extensions") or {}).get(ABORT)
    if abort is not None:
        abort()
        await gone
