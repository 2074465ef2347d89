# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Which path is whose: found by a look-up, not by trying one route after another."""

from collections.abc import Awaitable, Iterable

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

Key = tuple[str | None, ...]


class Paths:
    """The application of `routes`: each path's own, `default` for all others.

    A part that a route names is preferred to one that it takes as a parameter.
    """

    def __init__(self, routes: Iterable[Route], default: ASGIApp) -> None:
        self._default = default
        self._plain: dict[str, ASGIApp] = {}
        self._found: dict[Key, tuple[ASGIApp, tuple[str, ...]]] = {}
        shapes: dict[int, set[tuple[int, ...]]] = {}
        for route in routes:
            parts = route.path.split("/")
            places = tuple(at for at, part in enumerate(parts) if part.startswith("{"))
            if not places:
                self._plain[route.path] = route.endpoint
                continue
            names = tuple(parts[at].strip("{}") for at in places)
            shapes.setdefault(len(parts), set()).add(places)
            self._found[_key(parts, places)] = route.endpoint, names
        # By the number of parts, where parameters may stand; the fewest first.
        self._shapes = {
            size: sorted(found, key=lambda places: (len(places), [-at for at in places]))
            for size, found in shapes.items()
        }

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self._default(scope, receive, send)
        path: str = scope["path"]
        app = self._plain.get(path)
        if app is None:
            app, scope["path_params"] = self._with_parameters(path.split("/"))
        else:
            scope["path_params"] = {}
        return app(scope, receive, send)

    def _with_parameters(self, parts: list[str]) -> tuple[ASGIApp, dict[str, str]]:
        for places in self._shapes.get(len(parts), ()):
            found = self._found.get(_key(parts, places))
            if found is not None:
                values = [parts[at] for at in places]
                if "" not in values:
                    return found[0], dict(zip(found[1], values, strict=True))
        return self._default, {}


def _key(parts: list[str], places: tuple[int, ...]) -> Key:
    key: list[str | None] = [*parts]
    for at in places:
        key[at] = None
    return tuple(key)
