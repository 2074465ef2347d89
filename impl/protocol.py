"""HTTP as our servers speak it: a request's head has bounds."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from generated.runtime.streams import ABORT

MAX_HEAD_BYTES = 32 * 1024
HEAD_SECONDS = 10.0


class Protocol(HttpToolsProtocol):
    """Bounds a request's head in size and in time: httptools keeps whatever it is sent."""

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

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # uvicorn types extensions as mere mappings of mappings.
        self.scope["extensions"] = {ABORT: self.transport.abort}  # type: ignore[dict-item]
        self._head_bytes = self._field_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(name + value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._end_head()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._end_head()  # trailers are fields of a head too
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._too_large:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _count(self, part: bytes) -> None:
        self._field_bytes += len(part)
        if self._field_bytes > MAX_HEAD_BYTES:
            self._too_large = True
            raise ValueError("the head is too large")  # ends the parsing

    def _refuse(self) -> None:
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
            b"content-length: 0\r\nconnection: close\r\n\r\n"
        )
        self.transport.close()

    def _idle(self) -> bool:
        # uvicorn types it as always there; it is None before the first request.
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def _await_head(self) -> None:
        self._head_limit = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _end_head(self) -> None:
        self._head_bytes = None
        if self._head_limit is not None:
            self._head_limit.cancel()
            self._head_limit = None

    def _give_up(self) -> None:
        if self._idle():
            self.transport.close()
        else:  # the request before it is still being answered
            self._await_head()
