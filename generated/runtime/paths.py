# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Which path is whose: found by a look-up, not by trying one route after another."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from operator import itemgetter

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(slots=True)
class _Shape:
    """Paths that have their parameters at the same places; `literals` reads the other parts."""

    places: tuple[int, ...]
    literals: Callable[[list[str]], object]
    found: dict[object, tuple[ASGIApp, tuple[str, ...]]] = field(default_factory=dict)


class Paths:
    """The application of `routes`: each path's own, `default` for all others.

    A part that a route names is preferred to one that it takes as a parameter.
    """

    def __init__(self, routes: Iterable[Route], default: ASGIApp) -> None:
        self._default = default
        self._plain: dict[str, ASGIApp] = {}
        self._shapes: dict[int, list[_Shape]] = {}  # by the number of parts
        for route in routes:
            if "{" in route.path:
                self._add(route.path.split("/"), route.endpoint)
            else:
                self._plain[route.path] = route.endpoint

    def _add(self, parts: list[str], app: ASGIApp) -> None:
        places = tuple(at for at, part in enumerate(parts) if part.startswith("{"))
        shapes = self._shapes.setdefault(len(parts), [])
        shape = next((each for each in shapes if each.places == places), None)
        if shape is None:
            others = [at for at in range(len(parts)) if at not in places]
            shape = _Shape(places, itemgetter(*others))
            shapes.append(shape)
            # The fewest parameters first, and of these the ones that come later.
            shapes.sort(key=lambda each: (len(each.places), [-at for at in each.places]))
        shape.found[shape.literals(parts)] = app, tuple(parts[at].strip("{}") for at in places)

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
        for shape in self._shapes.get(len(parts), ()):
            found = shape.found.get(shape.literals(parts))
            if found is not None:
                values = [parts[at] for at in shape.places]
                if "" not in values:
                    return found[0], dict(zip(found[1], values, strict=True))
        return self._default, {}
