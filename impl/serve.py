"""`botcore serve`: the API as a process."""

import asyncio
import math
import socket

import structlog
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from generated.errors import Overloaded
from generated.runtime.edge import problem_reply, send_reply
from impl import logging
from impl.app import create_app
from impl.process import announce_ready, warn_of_development
from impl.protocol import Protocol
from impl.settings import Settings

log = structlog.get_logger()

# Before the drain ends: time to give calls back and to send the answers.
ANSWER_SECONDS = 1.0


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

    def __init__(
        self, config: uvicorn.Config, app: FastAPI, drain: Drain, drain_seconds: float
    ) -> None:
        super().__init__(config)
        self._app = app
        self._drain = drain
        self._answer_after = max(drain_seconds - ANSWER_SECONDS, drain_seconds / 2)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            log.info("serving", host=self.config.host, port=self.config.port)
            announce_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.stop_streams()  # they would be waited for
        ending = asyncio.get_running_loop().call_later(self._answer_after, self._drain.end)
        await super().shutdown(sockets)
        ending.cancel()


def server_for(settings: Settings) -> Server:
    app = create_app(settings)
    drain = Drain(app)
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
    return Server(config, app, drain, settings.drain_seconds)


def run(settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT, then drains. Returns the exit code."""
    logging.configure(settings.log_level)
    warn_of_development(settings)
    server = server_for(settings)
    server.run()
    return 0 if server.started else 1
