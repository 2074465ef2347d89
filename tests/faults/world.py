"""A database, a Valkey and keys of its own for each row, and processes that end with it."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, cast

import aiohttp
import asyncpg
from redis.asyncio import Redis

from impl.db import prepare_connection
from impl.local.guardian import Guardian
from impl.ratelimit.shared import FILLED
from impl.tokens.issue import issue
from tests.faults.bot import Bot
from tests.faults.checker import Findings, Ledgers, Stored, check, entry_of, read_stored
from tests.faults.errors import CannotRunError
from tests.faults.processes import Process, start
from tests.servers import create_database, drop_database, valkey_server
from tests.stack import BOT_SCOPES, manifest
from tools.contract import ROOT

_numbers = count(1)
POLL_SECONDS = 0.02
RELAY_SECONDS = 120.0
ROOM_SECONDS = 10.0
PAGE = 1000
ROOM = """
INSERT INTO rate_limits (partition, subject_id, quota, window_seconds, version)
SELECT $1, $2, 1000000, 60, coalesce(max(version), 0) + 1 FROM rate_limits
"""


@dataclass(frozen=True)
class Servers:
    """A PostgreSQL, its migrated database that others are copied from, and the core's code."""

    postgres: str
    template: str
    root: Path = ROOT


@dataclass
class World:
    pool: asyncpg.Pool
    redis: Redis
    bot: Bot
    registry_key: str
    settings: dict[str, str]
    folder: Path
    group: int
    root: Path
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def serve(self, env: Mapping[str, str] | None = None, **settings: str) -> Process:
        """`env`: variables beside the settings, as they are named."""
        return await self._start("serve", settings, env)

    async def worker(self, env: Mapping[str, str] | None = None, **settings: str) -> Process:
        return await self._start("worker", settings, env)

    async def _start(
        self, command: str, settings: dict[str, str], env: Mapping[str, str] | None
    ) -> Process:
        ours = self.settings | environment(settings) | dict(env or {})
        log = self.folder / f"{command}-{next(_numbers)}.log"
        return await start(command, ours, log, self.group, self.root)

    async def users(self, core: Process, number: int) -> list[str]:
        """Users of the bot whom no limit holds up."""
        made = [await self.bot.user(core.url, at) for at in range(1, number + 1)]
        for user_id in made:
            await self._give_room("user", user_id)
        return made

    async def register(
        self, core: Process, url: str, name: str, *intents: dict[str, Any],
        version: str = "1.0.0", scopes: Sequence[str] = (), **more: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """The registration's answer; `more` are members of the manifest."""
        described = manifest(name, version, *intents) | more
        described["auth"] = {"type": "bearer", "scopes": list(scopes)}
        body = {"name": name, "version": version, "base_url": url, "manifest": described,
                "scopes": list(scopes)}  # fmt: skip
        headers = {"X-Registry-Key": self.registry_key}
        place = f"{core.url}/api/v1/plugins/register"
        async with self.bot.session.post(place, json=body, headers=headers) as response:
            said: dict[str, Any] = await response.json(content_type=None)
            if response.status not in (200, 201):
                raise CannotRunError(f"{name} was not registered: {said}")
        await self._give_room("plugin", said["plugin_id"])
        return said

    async def _give_room(self, partition: str, subject_id: str) -> None:
        async with self._one_at_a_time:  # each takes the next version
            await self.pool.execute(ROOM, partition, subject_id)

    async def until_room_is_given(self) -> None:
        """Until Redis has all limits, which the core fills in when it looks at them next."""
        await self.until(self._room_is_given, ROOM_SECONDS, "the limits were raised")

    async def _room_is_given(self) -> bool:
        newest = await self.pool.fetchval("SELECT coalesce(max(version), 0) FROM rate_limits")
        return int(await self.redis.get(FILLED) or -1) >= int(newest)

    async def streams(self, pattern: str = "*") -> dict[str, list[dict[str, Any]]]:
        """What each stream holds, once the relay has sent everything."""
        waits = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
        await self.until(lambda: self.none(waits), RELAY_SECONDS, "the relay sent everything")
        found = {}
        async for key in self.redis.scan_iter(pattern, _type="stream"):
            found[str(key)] = await self._entries(key)
        return found

    async def _entries(self, key: str) -> list[dict[str, Any]]:
        """A page at a time: a long stream takes longer than a client waits for one answer."""
        found: list[dict[str, Any]] = []
        after = "-"
        while page := cast(
            "list[tuple[str, dict[str, str]]]", await self.redis.xrange(key, after, count=PAGE)
        ):
            found += [entry_of(fields) for _, fields in page]
            after = f"({page[-1][0]}"
        return found

    async def check(self, ledgers: Ledgers) -> Findings:
        streams = await self.streams()
        return check(self.bot.log, await self.stored(), streams, ledgers)

    async def stored(self) -> Stored:
        async with self.pool.acquire() as connection:
            return await read_stored(connection)

    async def all_ended(self) -> bool:
        return await self.open_calls() == 0

    async def open_calls(self) -> int:
        found = await self.pool.fetchval(
            "SELECT count(*) FROM plugin_calls WHERE status IN ('queued', 'in_progress')"
        )
        return int(found)

    async def none(self, query: str) -> bool:
        return bool(await self.pool.fetchval(query) == 0)

    @staticmethod
    async def until(
        condition: Callable[[], Awaitable[object]], seconds: float, what: str = ""
    ) -> bool:
        """Whether it came true in time; where `what` names it, it must."""
        ends = time.monotonic() + seconds
        while not await condition():  # what other processes store
            if time.monotonic() > ends:
                if what:
                    raise TimeoutError(f"not within {seconds:g} s: {what}")
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True


@asynccontextmanager
async def world(servers: Servers, **settings: str) -> AsyncIterator[World]:
    """`settings` are those of every process, without the prefix; `redis_url` is a row's own."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="botcore-faults-")))
        name = f"faults_{next(_numbers)}"
        database = await create_database(servers.postgres, name, template=servers.template)
        stack.push_async_callback(drop_database, database)
        redis_url = settings.get("redis_url", "")
        if not redis_url:
            redis_url = await stack.enter_async_context(valkey_server())
        redis = Redis.from_url(redis_url, decode_responses=True)
        stack.push_async_callback(redis.aclose)
        pool = await stack.enter_async_context(
            asyncpg.create_pool(database, min_size=0, max_size=5, init=prepare_connection)
        )
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        guardian = await stack.enter_async_context(Guardian())
        bot_id = await pool.fetchval("INSERT INTO bots (name) VALUES ('faults') RETURNING id")
        await pool.execute(ROOM, "bot", bot_id)
        bot = await issue(pool, "bot", subject_id=bot_id, scopes=BOT_SCOPES, expires_in=None)
        key = await issue(pool, "registry", scopes=["plugins:register"], expires_in=None)
        ours = {"database_url": database, "redis_url": redis_url, **USUAL, **settings}
        made = World(
            pool=pool,
            redis=redis,
            bot=Bot(session, bot.plaintext),
            registry_key=key.plaintext,
            settings=environment(ours),
            folder=folder,
            group=guardian.group,
            root=servers.root,
        )
        yield made


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    return {f"BOTCORE_{name.upper()}": value for name, value in settings.items()}


USUAL = {
    "secret_key": "the faults suite's secret key, long enough",
    "log_level": "error",
    "development": "true",  # the plugins are on loopback
    "catalogue_refresh_seconds": "0.05",
    "limits_refresh_seconds": "0.05",
    "queue_poll_seconds": "0.1",
    "unready_seconds": "0",
    "drain_seconds": "0.5",
    # On a busy machine turns are late, and nobody is to be refused for that: no row is about it.
    "work_wait_seconds": "60",
    # Nobody watches but where a row is about it.
    "heartbeat_missed_seconds": "3600",
    "probe_interval_seconds": "300",
    # Rows are about how a plugin that does wrong is called, not about how it is disabled.
    "plugin_critical_failures": "0",
}
