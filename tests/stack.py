"""The API over a real socket, and plugins that do as a test tells them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import pytest
import uvicorn
from aiohttp import web
from fastapi import FastAPI
from multidict import CIMultiDictProxy

from impl import serve
from impl.app import create_app
from impl.routing.classifier.port import Classifier
from impl.settings import Settings
from impl.tokens import hashing
from impl.tokens.issue import issue
from tests.published import undeclared

BOT_SCOPES = ["dialogs:read", "dialogs:write", "users:erase", "users:write"]


def settings_for(database: str, valkey: str, **changed: Any) -> Settings:
    """Quick to notice what changed, and patient: a test that waits for an end in time says so."""
    values: dict[str, Any] = {
        "database_url": database,
        "redis_url": valkey,
        "secret_key": "a test's secret key, long enough",
        "log_level": "error",
        "catalogue_refresh_seconds": 0.05,
        "limits_refresh_seconds": 0.05,
        "plugin_connect_seconds": 30,
        "probe_timeout_seconds": 30,
        "call_deadline_seconds": 30,
        "call_lease_seconds": 60,
        "token_failures_per_id": 1_000_000,
        "token_failures_per_address": 1_000_000,
        "work_wait_seconds": 60,
        "development": True,  # the plugins of the tests are on this machine
    }
    return _patient(Settings(**(values | changed)), changed)


def settings_but(settings: Settings, **changed: Any) -> Settings:
    """`settings` with these changes, validated as they are read."""
    values = settings.model_dump(exclude={"redis_timeout_seconds"}) | changed
    return _patient(Settings(**values), changed)


def _patient(settings: Settings, changed: dict[str, Any]) -> Settings:
    """More than a deployment may set: on a busy machine instances would count alone by chance."""
    patience = {} if "redis_timeout_seconds" in changed else {"redis_timeout_seconds": 5.0}
    return settings.model_copy(update=patience)


class Server(uvicorn.Server):
    """Leaves the signals to the suite, and says when it serves."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def _no_signals(_server: uvicorn.Server) -> Iterator[None]:
    yield


def quiet_server(settings: Settings, patch: pytest.MonkeyPatch) -> serve.Server:
    """The server of `botcore serve`, which leaves the signals to the suite and tells nobody."""
    patch.setattr(serve.Server, "capture_signals", _no_signals)
    patch.setattr(serve, "announce_ready", lambda: None)
    return serve.server_for(settings)


def counted_hashes(patch: pytest.MonkeyPatch) -> list[str]:
    """What argon2 is run against from here on, in order."""
    runs: list[str] = []
    real = hashing._matches

    def counted(stored: str, plaintext: str) -> bool:
        runs.append(stored)
        return real(stored, plaintext)

    patch.setattr(hashing, "_matches", counted)
    return runs


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """The base URL of `app`, served by uvicorn on a free port of this machine alone."""
    config = uvicorn.Config(
        app, port=0, log_config=None, access_log=False, ws="none", proxy_headers=False
    )
    async with started(Server(config)) as url:
        yield url


@asynccontextmanager
async def started(server: uvicorn.Server) -> AsyncIterator[str]:
    """The base URL of a server that leaves the signals alone; it stops in the end."""
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            task.result()
            raise RuntimeError("the server stopped before it was ready")
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


Line: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(url: str, receive_buffer: int | None = None) -> AsyncIterator[Line]:
    """A bare connection to a server of this machine; `receive_buffer` is the socket's, in bytes."""
    opened = socket.socket()
    opened.setblocking(False)
    if receive_buffer is not None:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    port = urlsplit(url).port or 0
    await asyncio.get_running_loop().sock_connect(opened, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=opened)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)  # the socket is closed by the loop's next turn


Reply = Callable[[dict[str, Any], web.Request], Awaitable[web.StreamResponse]]


async def echo(body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
    """A good plugin: says what it was told."""
    text = body["payload"].get("text", body["payload"]["type"])
    return web.json_response({"text": f"echo: {text}"[:4096], "trace_id": body["trace_id"]})


@dataclass
class Gate:
    """A plugin that answers when it is told to."""

    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def reply(self, body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
        await self.go_on.wait()
        return web.json_response({"text": "late", "trace_id": body["trace_id"]})


@dataclass
class ScriptedPlugin:
    """A plugin server whose next answers a test writes. `calls` are the bodies that it saw."""

    url: str = ""
    reply: Reply = echo
    healthy: bool = True
    manifest: Any = None  # what GET /manifest serves; None: 404
    calls: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    when_probed: Callable[[], Awaitable[None]] | None = None

    async def invoke(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.calls.append(body)
        self.headers.append(dict(request.headers))
        self.called.set()
        return await self.reply(body, request)

    async def health(self, _request: web.Request) -> web.StreamResponse:
        if self.when_probed is not None:
            await self.when_probed()
        if not self.healthy:
            return web.Response(status=503)
        return web.json_response({"status": "ok", "version": "1.0.0"})

    async def described(self, _request: web.Request) -> web.StreamResponse:
        if self.manifest is None:
            return web.Response(status=404)
        return web.json_response(self.manifest)


async def any_schema(_request: web.Request) -> web.StreamResponse:
    return web.json_response({"type": "object"})


@asynccontextmanager
async def scripted_plugin() -> AsyncIterator[ScriptedPlugin]:
    plugin = ScriptedPlugin()
    application = web.Application(client_max_size=2**22)
    application.router.add_post("/invoke", plugin.invoke)
    application.router.add_get("/health", plugin.health)
    application.router.add_get("/manifest", plugin.described)
    application.router.add_get("/schema.json", any_schema)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    plugin.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield plugin
    finally:
        await runner.cleanup()


def manifest(name: str, version: str = "1.0.0", *intents: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "version": version,
        "intents": list(intents),
        "auth": {"type": "bearer"},
        "supported_schema_versions": ["v1alpha"],
    }


def regex_intent(tag: str, pattern: str, priority: int = 0) -> dict[str, Any]:
    condition = {"type": "regex", "value": pattern}
    return {"tag": tag, "activation_condition": condition, "priority": priority}


@dataclass
class Answer:
    status: int
    headers: CIMultiDictProxy[str]
    raw: bytes
    json: Any


@dataclass
class Api:
    """A client of one running API, with a bot's token and a registry key."""

    url: str
    session: aiohttp.ClientSession
    bot_id: UUID
    bot_token: str
    registry_key: str

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        async with self.session.request(method, self.url + path, **options) as response:
            raw = await response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            value = await response.json(content_type=None) if is_json else None
            return Answer(response.status, response.headers, raw, value)

    async def bot(self, method: str, path: str, **options: Any) -> Answer:
        headers = {"X-Bot-Token": self.bot_token, **options.pop("headers", {})}
        return await self.send(method, path, headers=headers, **options)

    async def user(self, telegram_id: int = 1, locale: str | None = "en") -> str:
        body = {"telegram_id": telegram_id, "display_name": "Ada", "locale": locale}
        answer = await self.bot("POST", "/api/v1/users", json=body)
        assert answer.status in (200, 201), answer.raw
        return str(answer.json["user_id"])

    async def say(self, user_id: str, text: str, dialog: object = None, **more: Any) -> Answer:
        body = {"user_id": user_id, "payload": {"type": "text", "text": text}, **more}
        path = f"/api/v1/dialogs/{dialog or uuid4()}/messages"
        return await self.bot("POST", path, json=body)

    async def register(self, body: dict[str, Any], token: str | None = None) -> Answer:
        headers = {"X-Registry-Key": self.registry_key}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return await self.send("POST", "/api/v1/plugins/register", json=body, headers=headers)

    async def add_plugin(
        self, url: str, name: str = "text_reply", *intents: dict[str, Any], version: str = "1.0.0"
    ) -> Any:
        described = manifest(name, version, *intents)
        body = {"name": name, "version": version, "base_url": url, "manifest": described}
        answer = await self.register(body)
        assert answer.status in (200, 201), answer.raw
        return answer.json


@asynccontextmanager
async def running_api(
    pool: asyncpg.Pool,
    settings: Settings,
    *,
    bot_name: str = "tests",
    server: uvicorn.Server | None = None,
    classifier: Classifier | None = None,
) -> AsyncIterator[Api]:
    """The real application on the real database, and a client for it.

    Without a `server` of the caller's own, the application alone is served. Whatever was published
    meanwhile is held against the contract in the end.
    """
    bot_id = await pool.fetchval("INSERT INTO bots (name) VALUES ($1) RETURNING id", bot_name)
    bot = await issue(pool, "bot", subject_id=bot_id, scopes=BOT_SCOPES, expires_in=None)
    key = await issue(pool, "registry", scopes=["plugins:register"], expires_in=None)
    app = create_app(settings, classifier)
    served = serving(app) if server is None else started(server)
    async with served as url, aiohttp.ClientSession() as session:
        yield Api(url, session, bot_id, bot.plaintext, key.plaintext)
    assert await undeclared(pool, settings) == []
