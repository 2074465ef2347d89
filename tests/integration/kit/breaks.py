"""A plugin of `botcore plugin new` that breaks one promise, served in this process."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

from aiohttp import web

from impl.kit.new import CONTRACT, TEMPLATE
from impl.kit.template.serving.contract import Contract
from impl.kit.template.serving.server import Call, Server

TOKEN = "a-token-of-the-tests"
GOOD = f"Bearer {TOKEN}"

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Change = Callable[[Json], Json]


class Middleware(Protocol):
    def __call__(self, request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]: ...


def _as_it_is(value: Json) -> Json:
    return value


async def _handled(request: web.Request, handler: Handler) -> web.StreamResponse:
    return await handler(request)


def _all(_fault: Json) -> bool:
    return True


@dataclass(frozen=True)
class Break:
    """`check` must catch it. Of what is given each does one thing wrong."""

    what: str
    check: str
    manifest: Change = _as_it_is
    answer: Change = _as_it_is  # of a call
    around: Middleware = _handled
    sees: Callable[[Json], bool] = field(default=_all)  # the faults of a request that it notices


def on(path: str, change: Callable[[Json], Json], *, status: int = 200) -> Middleware:
    """The successful answer of `path`, with another body."""

    async def changed(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        assert isinstance(response, web.Response)
        if request.path != path or response.status != 200:
            return response
        assert isinstance(response.body, bytes)
        body = json.dumps(change(json.loads(response.body))).encode()
        return _with(response, body=body, status=status)

    return changed


def without_header(name: str) -> Middleware:
    async def changed(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        del response.headers[name]
        return response

    return changed


def with_request_header(name: str, value: str, *, only: bool = False) -> Middleware:
    """The request as if it said so; `only` where it said something else."""

    async def changed(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/invoke" and (not only or name in request.headers):
            headers = request.headers.copy()
            headers[name] = value
            request = request.clone(headers=headers)
        return await handler(request)

    return changed


def slow(seconds: float) -> Middleware:
    async def changed(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if request.path == "/invoke" and response.status == 200:
            await asyncio.sleep(seconds)
        return response

    return changed


def failing(when: Callable[[web.Request], bool]) -> Middleware:
    async def changed(request: web.Request, handler: Handler) -> web.StreamResponse:
        return web.Response(status=500) if when(request) else await handler(request)

    return changed


def forgetful(at_once: int = 1) -> Middleware:
    """Remembers an answer only when it was given: each of those `at_once` is worked on."""
    done: dict[str, web.Response] = {}
    together = asyncio.Barrier(at_once)

    async def changed(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        key = request.headers.get("X-Invocation-Id", "")
        assert isinstance(response, web.Response)
        if request.path != "/invoke" or response.status != 200:
            return response
        if key not in done:
            with contextlib.suppress(TimeoutError):  # one after the other is a mistake of the check
                await asyncio.wait_for(together.wait(), 5)
            assert isinstance(response.body, bytes)
            body = json.dumps({**json.loads(response.body), "text": str(uuid4())}).encode()
            done[key] = response = _with(response, body=body)
            return response
        return _with(done[key])

    return changed


async def as_plain_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if response.status >= 400:
        response.content_type = "application/json"
    return response


def _with(response: web.Response, *, body: bytes | None = None, status: int = 200) -> web.Response:
    kept = {name: value for name, value in response.headers.items() if name.startswith("X-")}
    content = response.body if body is None else body
    return web.Response(
        status=status, body=content, headers=kept, content_type=response.content_type
    )


class _Blind(Contract):
    def __init__(self, text: str, sees: Callable[[Json], bool]) -> None:
        super().__init__(text)
        self._sees = sees

    def request_faults(self, body: object) -> list[Json]:
        return [fault for fault in super().request_faults(body) if self._sees(fault)]


@asynccontextmanager
async def broken(item: Break) -> AsyncIterator[str]:
    """The URL of the plugin that `item` describes."""
    manifest = item.manifest(json.loads((TEMPLATE / "manifest.json").read_text()))

    async def answer(call: Call) -> Json:
        return item.answer({"text": f"You said: {call.text}"[:4096]})

    server = Server(manifest, _Blind(CONTRACT.read_text(), item.sees), answer, TOKEN)
    application = server.application()
    application.middlewares.append(web.middleware(item.around))
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
