"""Lines of the log on their way out: one write for all of a turn of the event loop."""

import asyncio
import atexit
from threading import Lock
from typing import BinaryIO


class Lines:
    """A logger of structlog's. What nobody waits for goes out when the event loop has its turn; a
    warning, and what comes from outside of a loop, at once and after all that was said before it.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._lock = Lock()
        self._waiting: list[bytes] = []
        self._loop: asyncio.AbstractEventLoop | None = None  # which will write them
        atexit.register(self._write)

    def info(self, line: bytes) -> None:
        with self._lock:
            self._waiting.append(line)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._write()
            return
        if loop is not self._loop:
            self._loop = loop
            loop.call_soon(self._write)

    def warning(self, line: bytes) -> None:
        with self._lock:
            self._waiting.append(line)
        self._write()

    debug = info
    msg = error = critical = warning

    def _write(self) -> None:
        with self._lock:
            self._loop = None
            waiting, self._waiting = self._waiting, []
            if waiting:
                self._out.write(b"\n".join((*waiting, b"")))
                self._out.flush()
