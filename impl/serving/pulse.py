"""How a process tells its supervisor that it serves, and goes on serving."""

import asyncio
import contextlib
import os

EVERY_SECONDS = 1.0


class Pulse:
    """One byte a second from the event loop: who is silent is stuck."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)  # a supervisor that does not read holds nobody up

    async def run(self) -> None:
        while True:
            # Without a reader the guardian ends us.
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                os.write(self._descriptor, b".")
            await asyncio.sleep(EVERY_SECONDS)
