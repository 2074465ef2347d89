"""What a plugin says of itself, as far as it is believed."""

import json
from typing import Any

import pytest
from aiohttp import web

from tests.integration.plugins.test_calls import calling

MANIFEST = {"name": "weather", "version": "1.0.0", "anything": [1, None]}
JSON = "application/json"


@pytest.mark.parametrize(
    ("status", "kind", "body", "found"),
    [
        (200, JSON, json.dumps(MANIFEST), MANIFEST),
        (200, JSON, json.dumps(MANIFEST, indent=4096), MANIFEST),
        (200, JSON, "[]", None),
        (200, JSON, '{"a": 1, "a": 2}', None),
        (200, JSON, '{"a": NaN}', None),
        (200, JSON, json.dumps(MANIFEST) + " " * 300_000, None),
        (200, "text/html", json.dumps(MANIFEST), None),
        (302, JSON, json.dumps(MANIFEST), None),
        (500, JSON, json.dumps(MANIFEST), None),
    ],
    ids=["good", "spread out", "no object", "twice", "NaN", "large", "html", "302", "500"],
)
async def test_a_manifest_is_read_as_it_is(
    status: int, kind: str, body: str, found: Any, unused_tcp_port: int
) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(
            status=status, text=body, content_type=kind, headers={"Location": "/manifest"}
        )

    application = web.Application()
    application.router.add_get("/base/manifest", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    try:
        async with calling() as caller:
            assert await caller.manifest(f"http://127.0.0.1:{unused_tcp_port}/base/") == found
    finally:
        await runner.cleanup()
