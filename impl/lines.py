"""Lines of the log on their way out: one write for all answers of a turn of the event loop."""

import asyncio
import atexit
from collections.abc import Iterator, Mapping
from select import PIPE_BUF
from threading import Lock
from typing import Any, BinaryIO


class Lines:
    """A logger of structlog's, whose lines go out at once. Those that each request has may wait
    until the event loop has its turn; no other line of structlog's overtakes them.

    `always` is for whoever makes a line without structlog's processors: what each line has.
    """

    def __init__(self, out: BinaryIO, always: Mapping[str, Any] | None = None) -> None:
        self.always = dict(always or {})
        self._out = out
        self._lock = Lock()
        self._waiting: list[bytes] = []
        self._loop: asyncio.AbstractEventLoop | None = None  # which will write them
        atexit.register(self._write)

    def later(self, line: bytes) -> None:
        """With the others of this turn; outside of a loop at once."""
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

    def msg(self, line: bytes) -> None:
        with self._lock:
            self._waiting.append(line)
        self._write()

    debug = info = warning = error = critical = msg

    def _write(self) -> None:
        with self._lock:
            self._loop = None
            waiting, self._waiting = self._waiting, []
            for lines in _pieces(waiting):
                self._out.write(lines)
                self._out.flush()


def _pieces(lines: list[bytes]) -> Iterator[bytes]:
    """Whole lines, no more at once than a pipe takes without another process's between them."""
    piece = b""
    for line in lines:
        if piece and len(piece) + len(line) >= PIPE_BUF:
            yield piece
            piece = b""
        piece += line + b"\n"
    if piece:
        yield piece
