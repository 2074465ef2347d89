"""HTTP as our servers speak it: heads, bodies, answers and connections have bounds."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from generated.runtime.streams import ABORT
from impl.pace import Pace

MAX_HEAD_BYTES = 32 * 1024
HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
BODY_WINDOW_SECONDS = 5.0
# Of an answer that its reader does not take; what the kernel's buffers took is taken.
ANSWER_SECONDS = 60.0
ANSWER_WINDOW_SECONDS = 10.0
# Connections beyond the limit that still get one answer: a probe its own, all else a 503.
SPARE_CONNECTIONS = 64
# In the extensions of a scope whose connection is one of these.
CROWDED = "botcore.crowded"

Cut: TypeAlias = Literal["slow_head", "slow_body", "slow_reader", "too_many"]


def _uncounted(_reason: Cut) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Door:
    """Who comes in: `most` connections at once. `cut` is told of each that is broken off."""

    most: int = 1000
    cut: Callable[[Cut], None] = _uncounted


def behind(door: Door) -> "type[Protocol]":
    """The protocol of a server with this door: uvicorn takes a class."""
    return type("Protocol", (Protocol,), {"door": door})


class Protocol(HttpToolsProtocol):
    """Bounds a request's head in size and in time: httptools keeps whatever it is sent. Whoever
    sends a body or takes an answer too slowly is cut off, and so is who is one too many."""

    door = Door()
    _crowded = False
    _body: Pace | None = None
    _body_bytes = 0  # since the last look
    _answer: Pace | None = None
    _unsent = 0  # bytes at the last look
    _head_bytes: int | None = None  # as they came, after the first piece; None outside of a head
    _field_bytes = 0
    _head_limit: asyncio.TimerHandle | None = None
    _too_large = False

    def data_received(self, data: bytes) -> None:
        went_on = self._head_bytes is not None
        super().data_received(data)
        if self.transport.is_closing():
            return
        if went_on and self._head_bytes is not None:
            # One field without an end: no callback tells of it.
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse()
                return
        if self._head_limit is None and (self._head_bytes is not None or self._idle()):
            self._await_head()
        if self._body is not None:
            self._body_bytes += len(data)
        elif self._in_body():
            self._await_body()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # asyncio types a base transport
        super().connection_made(transport)
        self._crowded = len(self.connections) > self.door.most
        if len(self.connections) > self.door.most + SPARE_CONNECTIONS:
            self._break_off("too_many")
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        self._end_body()
        self._end_answer()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_answer()

    def resume_writing(self) -> None:
        self._end_answer()
        super().resume_writing()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {ABORT: self.transport.abort}
        if self._crowded:
            extensions[CROWDED] = {}
        self.scope["extensions"] = extensions
        self._head_bytes = self._field_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        HttpToolsProtocol.on_header(self, name, value)

    def on_headers_complete(self) -> None:
        self._end_head()
        super().on_headers_complete()
        if self._crowded:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        self._end_head()  # trailers are fields of a head too
        self._end_body()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._end_body()  # the rest of it is waited for as for a head
        super().on_response_complete()
        self._see_off()

    def send_400_response(self, msg: str) -> None:
        if self._too_large:
            self._refuse()
        else:
            super().send_400_response(msg)
            self._see_off()

    def shutdown(self) -> None:
        super().shutdown()
        self._see_off()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._see_off()

    def _count(self, size: int) -> None:
        self._field_bytes += size
        if self._field_bytes > MAX_HEAD_BYTES:
            self._too_large = True
            raise ValueError("the head is too large")  # ends the parsing

    def _refuse(self) -> None:
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
            b"content-length: 0\r\nconnection: close\r\n\r\n"
        )
        self.transport.close()
        self._see_off()

    def _idle(self) -> bool:
        # uvicorn types it as always there; it is None before the first request.
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None before the first request

    def _await_head(self) -> None:
        self._head_limit = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _end_head(self) -> None:
        self._head_bytes = None
        if self._head_limit is not None:
            self._head_limit.cancel()
            self._head_limit = None

    def _give_up(self) -> None:
        if self._idle():
            self.door.cut("slow_head")
            self.transport.close()
            self._see_off()
        else:  # the request before it is still being answered
            self._await_head()

    def _in_body(self) -> bool:
        if self.cycle is None or self._head_bytes is not None:  # type: ignore[redundant-expr]  # None before the first request
            return False
        return self.cycle.more_body and not self.cycle.response_complete

    def _await_body(self) -> None:
        self._body_bytes = 0
        self._body = Pace(
            self.loop,
            BODY_WINDOW_SECONDS,
            BODY_SECONDS,
            self._body_moved,
            lambda: self._break_off("slow_body"),
        )

    def _body_moved(self) -> int | None:
        moved, self._body_bytes = self._body_bytes, 0
        # Or else it waits for us: for room, or to be told to go on.
        awaited = not self.flow.read_paused and not self.cycle.waiting_for_100_continue
        return moved if awaited else None

    def _end_body(self) -> None:
        if self._body is not None:
            self._body.stop()
            self._body = None

    def _see_off(self) -> None:
        """A transport that closes waits for its reader, for as long as that takes."""
        if self.transport.is_closing():
            self._await_answer()

    def _await_answer(self) -> None:
        if self._answer is None:
            self._unsent = self.transport.get_write_buffer_size()
            self._answer = Pace(
                self.loop,
                ANSWER_WINDOW_SECONDS,
                ANSWER_SECONDS,
                self._answer_moved,
                lambda: self._break_off("slow_reader"),
            )

    def _answer_moved(self) -> int | None:
        before, self._unsent = self._unsent, self.transport.get_write_buffer_size()
        # A stream is cut off by who sends it.
        streams = self.cycle is not None and self.cycle.chunked_encoding  # type: ignore[redundant-expr]  # None before the first request
        return None if streams and not self.cycle.response_complete else before - self._unsent

    def _end_answer(self) -> None:
        if self._answer is not None:
            self._answer.stop()
            self._answer = None

    def _break_off(self, reason: Cut) -> None:
        self.door.cut(reason)
        self.transport.abort()
