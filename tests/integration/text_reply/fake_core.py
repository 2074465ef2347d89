"""A core that registers plugins and takes heartbeats, by the contract, and fails on demand."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import aiohttp
from aiohttp import web

from generated.errors import ERRORS
from tests.integration.text_reply.contract import core_contract
from tests.patience import PATIENT_SECONDS

REGISTRY_KEY = "bc_registry_canary_0123456789"
PLUGIN_ID = UUID("5a4b3c2d-1e0f-4a9b-8c7d-6e5f4a3b2c1d")


class FakeCore:
    def __init__(self) -> None:
        self.url = ""
        self.registrations: list[Any] = []
        self.heartbeats: list[Any] = []
        self.probes: list[int] = []
        # Error codes to answer with instead, one for each request; "rubbish" breaks the contract.
        self.refuse_registration: deque[str] = deque()
        self.refuse_heartbeat: deque[str] = deque()
        self.refuse_event: deque[str] = deque()
        self.events: list[Any] = []
        self.attempts: list[str] = []  # to report an event, by its id
        self.take_events = asyncio.Event()
        self.take_events.set()
        self.token_seconds = 3600.0
        self._changed = asyncio.Condition()

    @property
    def tokens(self) -> int:
        """How many were issued; the last one is good."""
        return len(self.registrations)

    @property
    def token(self) -> str:
        return f"bc_plugin_canary_{self.tokens:04}"

    @property
    def invocation_token(self) -> str:
        return f"bc_invoke_canary_{self.tokens:04}"

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENT_SECONDS), self._changed:
            await self._changed.wait_for(reached)

    async def register(self, request: web.Request) -> web.Response:
        body = await request.json()
        core_contract().check_request("registerPlugin", body)
        if request.headers.get("X-Registry-Key") != REGISTRY_KEY:
            return await self._told(problem("invalid_credentials"))
        if self.refuse_registration:
            return await self._told(problem(self.refuse_registration.popleft()))
        self.probes.append(await probe(body["base_url"]))
        self.registrations.append(body)
        return await self._told(web.json_response(self._issued(), status=201))

    async def heartbeat(self, request: web.Request) -> web.Response:
        body = await request.json()
        core_contract().check_request("sendPluginHeartbeat", body)
        assert request.match_info["plugin_id"] == body["plugin_id"] == str(PLUGIN_ID)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return await self._told(problem("invalid_credentials"))
        if self.refuse_heartbeat:
            return await self._told(problem(self.refuse_heartbeat.popleft()))
        self.heartbeats.append(body)
        return await self._told(web.json_response({"status": "active"}))

    async def report(self, request: web.Request) -> web.Response:
        body = await request.json()
        core_contract().check_request("reportPluginEvent", body)
        assert request.match_info["plugin_id"] == body["plugin_id"] == str(PLUGIN_ID)
        self.attempts.append(body["event_id"])
        await self.take_events.wait()
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return await self._told(problem("invalid_credentials"))
        if self.refuse_event:
            return await self._told(problem(self.refuse_event.popleft()))
        self.events.append(body)
        ack = {"status": "accepted", "event_id": body["event_id"]}
        return await self._told(web.json_response(ack))

    def _issued(self) -> dict[str, str]:
        now = datetime.now(UTC)
        issued = {
            "plugin_id": str(PLUGIN_ID),
            "token": self.token,
            "issued_at": now.isoformat(),
            "expires_at": (now + timedelta(seconds=self.token_seconds)).isoformat(),
            "invocation_token": self.invocation_token,
        }
        core_contract().check_schema("PluginRegistrationResponseV1", issued)
        return issued

    async def _told(self, response: web.Response) -> web.Response:
        async with self._changed:
            self._changed.notify_all()
        return response


async def probe(base_url: str) -> int:
    """As the core does at registration."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{base_url}/health") as response,
    ):
        return response.status


def problem(code: str) -> web.Response:
    if code == "rubbish":
        return web.Response(text="<html>", content_type="text/html")
    if code == "too_many_requests":  # of the requirements; not yet in the contract
        return web.Response(status=429)
    error = ERRORS[code]()
    return web.Response(
        status=error.status,
        body=error.body(str(uuid4())),
        content_type="application/problem+json",
    )


@asynccontextmanager
async def fake_core(port: int = 0) -> AsyncIterator[FakeCore]:
    core = FakeCore()
    app = web.Application()
    app.router.add_post("/api/v1/plugins/register", core.register)
    app.router.add_post("/api/v1/plugins/{plugin_id}/heartbeat", core.heartbeat)
    app.router.add_post("/api/v1/plugins/{plugin_id}/events", core.report)
    async with served(app, port) as core.url:
        yield core


@asynccontextmanager
async def served(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """URL of `app`, on a port of its own where none is given."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        host, chosen = runner.addresses[0][:2]
        yield f"http://{host}:{chosen}"
    finally:
        await runner.cleanup()
