"""The same with all that `botcore serve` has around it: bounds of connections and of work, the
drain, metrics, and the line of log for each answer; only no database, no Redis, no plugin."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from generated.runtime.edge import UnknownPath
from impl import logging
from impl.api import Api
from impl.errors import LogObserver
from impl.serve import Server, server_for
from impl.settings import Settings
from tests.load.peers.contract import edge


@asynccontextmanager
async def _bound(app: Api) -> AsyncIterator[None]:
    made = edge.edge(LogObserver())
    app.bind(edge.routes(made, edge.Handlers()), UnknownPath(made))
    app.state.admission.serve(app.router.routes)
    app.state.stop_streams = lambda: None
    yield


def server() -> Server:
    settings = Settings()
    logging.configure(settings.log_level)
    made = server_for(settings)
    made._app.router.lifespan_context = _bound
    return made
