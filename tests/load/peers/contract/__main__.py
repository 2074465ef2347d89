"""Serves one of the peers: BENCH_PEER says which, BOTCORE_PORT where.

All of them on one process of uvicorn with uvloop and httptools.
"""

import os
from importlib import import_module
from typing import Any, Literal

import uvicorn

from impl.process import announce_ready


class Server(uvicorn.Server):
    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        announce_ready()


def _app(name: str) -> tuple[Any, Literal["on", "off"]]:
    if name.startswith("connexion"):
        from tests.load.peers.contract.by_connexion import make

        return make(answers=name == "connexion_answers"), "on"
    return import_module(f"tests.load.peers.contract.{name}").app, "off"


def server(name: str) -> uvicorn.Server:
    if name == "shipped":
        from tests.load.peers.contract import shipped

        return shipped.server()
    app, lifespan = _app(name)
    return Server(
        uvicorn.Config(
            app,
            port=int(os.environ["BOTCORE_PORT"]),
            loop="uvloop",
            http="httptools",
            interface="asgi3",
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            lifespan=lifespan,
        )
    )


if __name__ == "__main__":
    server(os.environ["BENCH_PEER"]).run()
