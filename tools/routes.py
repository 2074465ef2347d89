"""The routes that are served and the operations that are declared are the same set."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, cast

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route
from structlog.testing import capture_logs

from generated.runtime.edge import Endpoint
from impl.app import create_app
from impl.settings import Settings
from impl.text_reply.app import create_app as create_text_reply
from tools.bundler import bundle
from tools.contract import operations

# Nothing is asked of these: a pool connects on first use.
SETTINGS = {
    "database_url": "postgresql://nobody@127.0.0.1:1/none",
    "redis_url": "redis://127.0.0.1:1/0",
    "secret_key": "no secret, and long enough for one",
}

Served = set[tuple[str, str, str]]  # method, path, operation


def _core() -> Starlette:
    return create_app(Settings(**cast("Any", SETTINGS)))


def _plugin() -> Starlette:
    nobody = cast("Any", None)
    return create_text_reply(nobody, nobody, nobody)


APPLICATIONS: dict[str, Callable[[], Starlette]] = {
    "openapi.yaml": _core,
    "plugin.openapi.yaml": _plugin,
}


def findings() -> list[str]:
    return [line for name, make in APPLICATIONS.items() for line in differences(name, make())]


def differences(name: str, app: Starlette) -> list[str]:
    """What only one of the contract's document `name` and `app` knows."""
    declared = {(op.method.upper(), op.path, op.id) for op in operations(bundle(name))}
    served = asyncio.run(_served(app))
    return [
        *(f"{name}: {_line(item)} is declared, not served" for item in sorted(declared - served)),
        *(f"{name}: {_line(item)} is served, not declared" for item in sorted(served - declared)),
    ]


def _line(item: tuple[str, str, str]) -> str:
    method, path, operation = item
    return f"{method} {path} ({operation})"


async def _served(app: Starlette) -> Served:
    # Routes may be bound in the lifespan; what it says of an absent database is no matter here.
    with capture_logs():
        async with app.router.lifespan_context(app):
            return of_routes(app.routes)


def of_routes(routes: Iterable[BaseRoute]) -> Served:
    served: Served = set()
    for route in routes:
        path = getattr(route, "path", "?")
        endpoint = route.endpoint if isinstance(route, Route) else None
        if isinstance(endpoint, Endpoint):
            served |= {(method, path, name) for method, name in endpoint.operations.items()}
        else:
            served.add(("ANY", path, "not generated"))
    return served
