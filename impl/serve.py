"""`botcore serve`: the API as a process."""

import socket

import structlog
import uvicorn

from impl import logging
from impl.app import create_app
from impl.process import announce_ready
from impl.settings import Settings

log = structlog.get_logger()


class Server(uvicorn.Server):
    """Says that it is ready when it is: the socket listens and the lifespan is up."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            log.info("serving", host=self.config.host, port=self.config.port)
            announce_ready()


def run(settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT, then drains. Returns the exit code."""
    logging.configure(settings.log_level)
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=int(settings.drain_seconds),
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = Server(config)
    server.run()
    return 0 if server.started else 1
