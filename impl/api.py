"""The application object: FastAPI's, as far as a request needs it."""

from collections.abc import Awaitable, Iterable

from fastapi import FastAPI
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from generated.runtime.paths import Paths


class Api(FastAPI):
    """FastAPI with its lifespan, state and routes, and without what it puts around each request
    for endpoints of its own: pages for their errors, a bound of their bodies, exits for their
    dependencies, traces. The generated edge does all of that itself, by the contract.
    """

    _paths: ASGIApp

    def bind(self, routes: Iterable[BaseRoute], default: ASGIApp) -> None:
        """What is served from here on: `default` is asked for each path that no route has."""
        self.router.routes = [*routes]
        self.router.default = default
        self._paths = Paths((r for r in self.router.routes if isinstance(r, Route)), default)

    def build_middleware_stack(self) -> ASGIApp:
        app: ASGIApp = self._serve
        for middleware, arguments, options in reversed(self.user_middleware):
            app = middleware(app, *arguments, **options)
        return app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        await self.middleware_stack(scope, receive, send)

    def _serve(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # A lifespan comes by here too.
        return (self._paths if scope["type"] == "http" else self.router)(scope, receive, send)
