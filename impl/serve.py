"""`botcore serve`: the API as a process."""

import asyncio
import math
import socket

import structlog
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from generated.errors import Overloaded
from generated.runtime.edge import problem_reply, send_reply
from impl import logging
from impl.app import create_app
from impl.process import announce_ready
from impl.settings import Settings

log = structlog.get_logger()

MAX_HEAD_BYTES = 32 * 1024
HEAD_SECONDS = 10.0
# Before the drain ends: time to give calls back and to send the answers.
ANSWER_SECONDS = 1.0


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


class Drain:
    """Sees that every request under way gets an answer before the process ends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._under_way: set[asyncio.Timeout] = set()
        self._over = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        limit = asyncio.timeout(0 if self._over else None)
        try:
            async with limit:
                self._under_way.add(limit)
                await self._app(scope, receive, noting)
        except TimeoutError:
            if started or not limit.expired():
                raise
            log.warning("stopped_before_the_answer", path=scope["path"])
            problem = Overloaded("The process stops; repeat the request.")
            problem.headers["Retry-After"] = "1"
            await send_reply(send, problem_reply(problem))
        finally:
            self._under_way.discard(limit)

    def end(self) -> None:
        """Whoever is not answered yet gets a 503 now."""
        self._over = True
        now = asyncio.get_running_loop().time()
        for limit in self._under_way:
            limit.reschedule(now)


class Server(uvicorn.Server):
    """Says that it is ready when it is: the socket listens and the lifespan is up."""

    def __init__(self, config: uvicorn.Config, drain: Drain, drain_seconds: float) -> None:
        super().__init__(config)
        self._drain = drain
        self._answer_after = max(drain_seconds - ANSWER_SECONDS, drain_seconds / 2)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            log.info("serving", host=self.config.host, port=self.config.port)
            announce_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        ending = asyncio.get_running_loop().call_later(self._answer_after, self._drain.end)
        await super().shutdown(sockets)
        ending.cancel()


def server_for(settings: Settings) -> Server:
    drain = Drain(create_app(settings))
    config = uvicorn.Config(
        drain,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=math.ceil(settings.drain_seconds),
    )
    return Server(config, drain, settings.drain_seconds)


def run(settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT, then drains. Returns the exit code."""
    logging.configure(settings.log_level)
    server = server_for(settings)
    server.run()
    return 0 if server.started else 1
