"""The metrics on a port of their own, which is not for the public."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog
import uvicorn
from starlette.routing import Route, Router

from generated.core.service import GET_METRICS, GetMetrics200
from generated.runtime.edge import Call, Edge, Endpoint, Result, UnknownPath
from impl.metrics.exposition import Exposition
from impl.protocol import Door, behind

log = structlog.get_logger()

STOP_SECONDS = 1
CONNECTIONS = 64


class _Server(uvicorn.Server):
    """Leaves the signals to the process that it is a part of."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def metrics_app(exposition: Exposition, edge: Edge) -> Router:
    """What the contract says of /metrics, and 404 for all else."""

    async def scrape(_call: Call) -> Result:
        return GetMetrics200(body=await exposition.text())

    routes = [Route("/metrics", Endpoint(edge, {"GET": (GET_METRICS, scrape)}))]
    return Router(routes, redirect_slashes=False, default=UnknownPath(edge))


@asynccontextmanager
async def listening(
    host: str, port: int, exposition: Exposition, edge: Edge, *, shared: bool = False
) -> AsyncIterator[tuple[str, int]]:
    """The address where the metrics are served meanwhile. Raises OSError where it is not free.

    `shared`: by each process of an instance.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family, backlog=16, reuse_port=shared)
    except OSError as error:
        log.error("metrics_not_served", host=host, port=port, reason=str(error))  # noqa: TRY400  # no mistake of ours: its text says all
        raise
    config = uvicorn.Config(
        metrics_app(exposition, edge),
        http=behind(Door(CONNECTIONS)),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = _Server(config)
    address: tuple[str, int] = bound.getsockname()[:2]
    task = asyncio.create_task(server.serve(sockets=[bound]), name="metrics")
    log.info("metrics_served", host=address[0], port=address[1])
    try:
        yield address
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await task
        bound.close()
