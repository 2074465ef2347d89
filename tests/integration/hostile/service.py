"""One real server for all hostile inputs, and all that may be seen of them."""

import asyncio
import logging
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import orjson
import pytest
from structlog.testing import capture_logs

from impl import serve
from impl.db import prepare_connection
from impl.redis import patient_client
from impl.serve import Server, server_for
from impl.tables import metadata
from impl.tokens.issue import issue
from impl.tokens.scopes import ADMIN_SCOPES
from tests.faults.raw import RawPlugin, good, raw_plugin
from tests.integration.hostile.answers import CAP
from tests.integration.hostile.case import World
from tests.patience import PATIENT_SECONDS
from tests.stack import Api, manifest, regex_intent, running_api, settings_for

FIELD = re.compile(rb"[a-z-]+: [ -~]*")
SEEN = {"cache-control", "connection", "content-length", "content-type", "date", "x-trace-id",
        "x-schema-version", "www-authenticate", "retry-after", "allow", "ratelimit",
        "ratelimit-policy", "transfer-encoding", "location", "accept"}  # fmt: skip
# When a token was last used is no trace of what was sent with it.
VOLATILE = {"tokens": "- 'last_used_at'"}


@dataclass(frozen=True, slots=True)
class Got:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.content)


async def exchange(url: str, sent: bytes) -> Got:
    """Over a connection of its own. What comes is HTTP, or the test fails."""
    parts = urlsplit(url)
    async with asyncio.timeout(PATIENT_SECONDS):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            status, *fields = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
            odd = [field for field in fields if not FIELD.fullmatch(field)]
            assert odd == [], odd
            pairs = [field.decode("ascii").split(": ", 1) for field in fields]
            headers = dict(pairs)
            assert len(headers) == len(pairs), "a header twice"
            content = await reader.readexactly(int(headers.get("content-length", "0")))
        finally:
            writer.transport.abort()
    return Got(int(status.split(b" ")[1]), headers, content)


@dataclass
class Service:
    world: World
    api: Api
    pool: asyncpg.Pool
    plugin: RawPlugin
    logged: list[Any]
    valkey: str
    known: dict[str, str] = field(default_factory=dict)
    number: int = 0

    async def send(self, sent: bytes) -> Got:
        return await exchange(self.world.url, sent)

    async def unchanged(self) -> bool:
        """Since the last time that this was asked, or since the service began.

        Who writes draws a number. Who drew one may have written nothing, or only when a token was
        used: then the rows tell.
        """
        number, self.number = self.number, await self.pool.fetchval(NUMBER)
        if number == self.number:
            return True
        before, self.known = self.known, await self.rows()
        return before in ({}, self.known)

    async def rows(self) -> dict[str, str]:
        """A digest of each table as it is."""
        found = await self.pool.fetch(ROWS)
        return {row["name"]: row["digest"] for row in found}

    async def everything(self) -> str:
        """All that is stored, as text."""
        tables = " UNION ALL ".join(f'SELECT t::text AS row FROM "{name}" t' for name in NAMES)
        return "\n".join(row["row"] for row in await self.pool.fetch(tables))

    async def remembered(self) -> str:
        """All that Redis holds, as text; other tests' too."""
        client = patient_client(self.valkey, PATIENT_SECONDS)
        read: dict[str, Any] = {
            "string": client.get,
            "hash": client.hgetall,
            "stream": client.xrange,
        }
        try:
            found = []
            async for key in client.scan_iter(count=1000):
                kind = await client.type(key)
                name = kind.decode() if isinstance(kind, bytes) else kind
                found.append(f"{key} {await read[name](key) if name in read else name}")
            return "\n".join(found)
        finally:
            await client.aclose()

    async def is_well(self) -> bool:
        return (await self.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")).status == 200


NUMBER = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
NAMES = sorted(metadata.tables)
ROWS = " UNION ALL ".join(
    f"SELECT '{name}' AS name, md5(coalesce(string_agg(row, '|' ORDER BY row), '')) AS digest"
    f' FROM (SELECT (to_jsonb(t) {VOLATILE.get(name, "")})::text AS row FROM "{name}" t) rows'
    for name in NAMES
)


@asynccontextmanager
async def hostile_service(database: str, valkey: str) -> AsyncIterator[Service]:
    with _noting() as logged:
        async with (
            asyncpg.create_pool(database, min_size=0, init=prepare_connection) as pool,
            raw_plugin(good) as plugin,
        ):
            settings = settings_for(
                database,
                valkey,
                port=0,
                unready_seconds=0,
                max_plugin_answer_bytes=CAP,
                plugin_retries=0,
                breaker_calls=10_000,
                plugin_critical_failures=0,
            )
            async with running_api(pool, settings, server=server_for(settings)) as api:
                yield Service(await _world(api, pool, plugin), api, pool, plugin, logged, valkey)


async def _world(api: Api, pool: asyncpg.Pool, plugin: RawPlugin) -> World:
    admin = await issue(pool, "admin", scopes=sorted(ADMIN_SCOPES))
    described = {
        **manifest("victim", "1.0.0", regex_intent("all", ".*")),
        "auth": {"type": "bearer", "scopes": ["plugins:read", "telemetry:write"]},
    }
    registered = await api.register({
        "name": "victim", "version": "1.0.0", "base_url": plugin.url, "manifest": described,
        "scopes": ["plugins:read", "telemetry:write"],
    })  # fmt: skip
    assert registered.status == 201, registered.raw
    user = await api.user()
    first = await api.say(user, "Hello!", message_id="first")
    assert first.json["status"] == "accepted"
    return World(
        url=api.url,
        bot_token=api.bot_token,
        plugin_token=registered.json["token"],
        admin_key=admin.plaintext,
        registry_key=api.registry_key,
        bot=api.bot_id,
        user=user,
        dialog=first.json["dialog_id"],
        message="first",
        plugin=registered.json["plugin_id"],
        plugin_url=plugin.url,
    )


class _Kept(logging.Handler):
    def __init__(self, logged: list[Any]) -> None:
        super().__init__()
        self._logged = logged

    def emit(self, record: logging.LogRecord) -> None:
        self._logged.append({"event": record.getMessage(), "log_level": record.levelname.lower()})


@contextmanager
def _noting() -> Iterator[list[Any]]:
    """What is logged meanwhile, by product and libraries; the signals are the suite's."""

    @contextmanager
    def leave_the_signals(_server: Server) -> Iterator[None]:
        yield

    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(Server, "capture_signals", leave_the_signals)
        patch.setattr(serve, "announce_ready", lambda: None)
        for name in [name for name in os.environ if name.startswith("BOTCORE_")]:
            patch.delenv(name)
        logged: list[Any] = stack.enter_context(capture_logs())
        handler = _Kept(logged)
        logging.getLogger().addHandler(handler)
        stack.callback(logging.getLogger().removeHandler, handler)
        yield logged
