"""A webhook's receiver that verifies with the public package, and answers as a test tells it."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


def status(number: int, **headers: str) -> Reply:
    async def reply(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=number, headers=headers)

    return reply


@dataclass
class Receiver:
    """`got` is what came with a good signature, by `webhook-id` in `ids`; `bad` how often none."""

    url: str = ""
    secret: str = ""
    reply: Reply = field(default_factory=lambda: status(204))
    got: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    bad: int = 0

    async def take(self, request: web.Request) -> web.StreamResponse:
        raw, headers = await request.read(), dict(request.headers)
        try:
            body = Webhook(self.secret).verify(raw, headers)
        except WebhookVerificationError:
            self.bad += 1
            return web.Response(status=401)
        self.got.append(body)
        self.ids.append(headers["webhook-id"])
        self.signatures.append(headers["webhook-signature"])
        return await self.reply(request)

    @property
    def types(self) -> Counter[str]:
        return Counter(body["type"] for body in self.got)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    application = web.Application()
    application.router.add_post("/hook", one.take)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield one
    finally:
        await runner.cleanup()
