"""A plugin of the suite's own, which does as the message's last word tells it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

ANSWER, FAIL, HANG = "answer", "fail", "hang"


@dataclass
class Plugin:
    """`called` is set by each call that hangs; those wait for `released`."""

    url: str = ""
    called: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def invoke(self, request: web.Request) -> web.Response:
        body = await request.json()
        word = str(body["payload"].get("text", "")).rpartition(" ")[2]
        if word == FAIL:
            return web.Response(status=500)
        if word == HANG:
            self.called.set()
            await self.released.wait()
        return web.json_response({"text": "done", "trace_id": body["trace_id"]})

    async def health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "version": "1.0.0"})


@asynccontextmanager
async def serving_plugin(host: str) -> AsyncIterator[Plugin]:
    """On a free port of `host`, which the deployment must reach."""
    plugin = Plugin()
    application = web.Application()
    application.router.add_post("/invoke", plugin.invoke)
    application.router.add_get("/health", plugin.health)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    plugin.url = f"http://{host}:{runner.addresses[0][1]}"
    try:
        yield plugin
    finally:
        plugin.released.set()
        await runner.cleanup()
