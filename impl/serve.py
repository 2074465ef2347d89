"""`botcore serve`: the API as a process."""

import asyncio
import math
import os
import resource
import socket
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from impl import logging
from impl.app import create_app
from impl.metrics.siblings import Siblings
from impl.overload.admission import AdmissionMiddleware
from impl.overload.refusal import enter_trace, send_overloaded
from impl.process import announce_ready, warn_of_development, warn_of_risks
from impl.protocol import SPARE_CONNECTIONS, Cut, Door, behind
from impl.safety import settings_risks
from impl.serving.folder import VARIABLE
from impl.serving.ports import listening
from impl.serving.pulse import Pulse
from impl.settings import Settings

log = structlog.get_logger()

# Before the drain ends: time to give calls back and to send the answers.
ANSWER_SECONDS = 1.0
READINESS = "/readyz"
NOTICE_POLL_SECONDS = 0.1
STOPPING = "The process stops; repeat the request."
# Of a process, beside its clients: the pool, Redis, calls of plugins, files.
OWN_DESCRIPTORS = 512


class Drain:
    """Sees that nobody is sent here any more, and that every request under way gets an answer
    before the process ends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._under_way: set[asyncio.Timeout] = set()
        self._announced = False
        self._over = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._announced and scope["path"] == READINESS:
            enter_trace(scope)
            await send_overloaded(self.closing(send), STOPPING)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(self._last(message) if self._announced else message)

        limit = asyncio.timeout(0 if self._over else None)
        try:
            async with limit:
                self._under_way.add(limit)
                await self._app(scope, receive, noting)
        except TimeoutError:
            if started or not limit.expired():
                raise
            log.warning("stopped_before_the_answer", path=scope["path"])
            await send_overloaded(send, STOPPING)
        finally:
            self._under_way.discard(limit)

    def closing(self, send: Send) -> Send:
        """A connection that is kept would be cut later, with a request on it."""

        async def closing(message: Message) -> None:
            await send(self._last(message) if self._announced else message)

        return closing

    @staticmethod
    def _last(message: Message) -> Message:
        if message["type"] != "http.response.start":
            return message
        return {**message, "headers": [*message["headers"], (b"connection", b"close")]}

    def announce(self) -> None:
        """From now on /readyz says no, and each answer ends its connection; all is served."""
        self._announced = True

    def end(self) -> None:
        """Whoever is not answered yet gets a 503 now."""
        self._over = True
        now = asyncio.get_running_loop().time()
        for limit in self._under_way:
            limit.reschedule(now)


class Server(uvicorn.Server):
    """Says that it is ready when it is, and that it is not before it stops to serve."""

    def __init__(
        self,
        config: uvicorn.Config,
        app: FastAPI,
        drain: Drain,
        notice_seconds: float,
        drain_seconds: float,
        *,
        pulse: Pulse | None = None,
    ) -> None:
        super().__init__(config)
        self._pulse = pulse
        self._beating: asyncio.Task[None] | None = None
        self._app = app
        self._drain = drain
        self._notice_seconds = notice_seconds
        self._answer_after = max(drain_seconds - ANSWER_SECONDS, drain_seconds / 2)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            log.info("serving", host=self.config.host, port=self.config.port)
            announce_ready()
            if self._pulse is not None:
                self._beating = asyncio.create_task(self._pulse.run(), name="pulse")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._give_notice()
        self._app.state.stop_streams()  # they would be waited for
        ending = asyncio.get_running_loop().call_later(self._answer_after, self._drain.end)
        await super().shutdown(sockets)
        ending.cancel()

    async def _give_notice(self) -> None:
        """Whoever asks /readyz has time to send the next ones elsewhere: with the listening socket
        goes what it has accepted and nobody has read."""
        self._drain.announce()
        loop = asyncio.get_running_loop()
        began = loop.time()
        while loop.time() < began + self._notice_seconds and not self.force_exit:  # noqa: ASYNC110 - uvicorn sets a flag
            await asyncio.sleep(NOTICE_POLL_SECONDS)


def server_for(
    settings: Settings, siblings: Siblings | None = None, pulse: Pulse | None = None
) -> Server:
    """`siblings` and `pulse`: of one process of several."""
    app = create_app(settings, siblings=siblings)
    drain = Drain(app)

    def cut(reason: Cut) -> None:
        app.state.metrics.connections_cut_total.at(reason).inc()

    config = uvicorn.Config(
        AdmissionMiddleware(drain, app.state.admission, drain.closing),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=behind(Door(settings.connections, cut)),
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
    server = Server(
        config, app, drain, settings.unready_seconds, settings.drain_seconds, pulse=pulse
    )
    app.state.metrics.connections.set_function(lambda: len(server.server_state.connections))
    return server


def make_room(connections: int) -> None:
    """Raises the limit of descriptors as far as these connections ask for, or says what is short.

    A process that has none left can accept nobody, a probe neither.
    """
    wanted = connections + SPARE_CONNECTIONS + OWN_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        log.warning("few_descriptors", limit=hard, wanted=wanted, set_by="BOTCORE_CONNECTIONS")


def run(settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT, then drains. Returns the exit code."""
    logging.configure(settings.log_level)
    warn_of_development(settings)
    warn_of_risks(settings, settings_risks(settings))
    make_room(settings.connections)
    server = server_for(settings)
    server.run()
    return 0 if server.started else 1


def run_one(settings: Settings, number: int, pulse: Pulse) -> int:
    """As `run`, for process `number` of several: its supervisor has warned of what there is."""
    logging.configure(settings.log_level, process=number)
    make_room(settings.connections)
    siblings = Siblings(Path(os.environ[VARIABLE]), number)
    siblings.join()
    server = server_for(settings, siblings, pulse)
    server.run(sockets=listening(settings.host, settings.port))
    return 0 if server.started else 1
