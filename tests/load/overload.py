"""What an API process still serves when 1, 3 and 10 times its capacity is asked of it, with and
without its admission control: python -m tests.load.overload

The request is a message, which a plugin answers. One process of the API, PostgreSQL, Valkey, the
plugin and the clients share this machine. Good is what is answered within the 1.5 s that the core
promises.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import orjson
import uvloop

from impl import migrate
from impl.local.guardian import Guardian
from impl.tokens.issue import issue
from tests.faults.processes import start
from tests.faults.raw import good, raw_plugin
from tests.load.clients import Clients, Told
from tests.servers import create_database, postgres_server, valkey_server
from tests.stack import BOT_SCOPES, Api

T = TypeVar("T")

PROMISE_SECONDS = 1.5
TIMES = (1, 3, 10)
CLIENTS = 32  # who wait for one another, while the capacity is measured
NO_ADMISSION = {
    "BOTCORE_REQUESTS_UNDER_WAY": "1000000",
    "BOTCORE_WORK_UNDER_WAY": "1000000",
    "BOTCORE_WORK_WAIT_SECONDS": "60",
}
# One token asks for everything here, and one plugin answers: their own bounds are not the subject.
BOTH = {
    "BOTCORE_REQUESTS_PER_TOKEN": "1000000",
    "BOTCORE_PLUGIN_CONCURRENCY": "10000",
    "BOTCORE_SECRET_KEY": "a secret key of nobody, long enough",
    "BOTCORE_DEVELOPMENT": "true",
    "BOTCORE_UNREADY_SECONDS": "0",
    "BOTCORE_LOG_LEVEL": "warning",
}
HEADING = (
    f"{'admission':<14}{'asked/s':>9}{'good/s':>8}{'p50':>9}{'p99':>9}"
    f"{'refused/s':>11}{'their p99':>11}{'late/s':>8}{'silent/s':>10}"
)


@asynccontextmanager
async def client(pool: asyncpg.Pool, url: str) -> AsyncIterator[Api]:
    """Of a bot whose quota is no subject here."""
    name = f"load {uuid4()}"
    bot_id = await pool.fetchval("INSERT INTO bots (name) VALUES ($1) RETURNING id", name)
    bot = await issue(pool, "bot", subject_id=bot_id, scopes=BOT_SCOPES)
    key = await issue(pool, "registry", scopes=["plugins:register"])
    async with aiohttp.ClientSession() as session:
        api = Api(url, session, bot_id, bot.plaintext, key.plaintext)
        await lift_limit(pool, api, "bot", bot_id)
        yield api


async def lift_limit(pool: asyncpg.Pool, api: Api, subject: str, subject_id: object) -> None:
    key = await issue(pool, "admin", scopes=["limits:manage"])
    body = {"quota": 1_000_000, "window_seconds": 1}
    path = f"/api/v1/admin/limits/{subject}/{subject_id}"
    answer = await api.send("PUT", path, json=body, headers={"X-Admin-Key": key.plaintext})
    assert answer.status == 200, answer.raw


def messages(api: Api, user_id: str) -> Callable[[], bytes]:
    """Each in a dialog of its own."""
    body = orjson.dumps({"user_id": user_id, "payload": {"type": "text", "text": "Hello!"}})
    fields = [f"X-Bot-Token: {api.bot_token}", "Content-Type: application/json"]
    rest = "\r\n".join(["/messages HTTP/1.1", "Host: x", *fields, f"Content-Length: {len(body)}"])
    tail = rest.encode() + b"\r\n\r\n" + body
    return lambda: b"POST /api/v1/dialogs/" + str(UUID(bytes=uuid4().bytes)).encode() + tail


@asynccontextmanager
async def serving(settings: dict[str, str], log: Path, group: int) -> AsyncIterator[str]:
    process = await start("serve", settings, log, group)
    try:
        yield process.url
    finally:
        await process.stop()


async def quickly(work: Coroutine[Any, Any, T]) -> T:
    """In a loop of its own: uvloop's is faster, and starts no process as we do."""
    return await asyncio.to_thread(uvloop.run, work)


def line(name: str, told: Told) -> str:
    good = sum(took <= PROMISE_SECONDS for took in told.served)
    late = len(told.served) - good
    each = told.seconds
    return (
        f"{name:<14}{told.due / each:>9.0f}{good / each:>8.0f}"
        f"{at(told.served, 0.5):>9}{at(told.served, 0.99):>9}"
        f"{len(told.refusals) / each:>11.0f}{at(told.refusals, 0.99):>11}"
        f"{late / each:>8.0f}{told.unanswered / each:>10.0f}"
    )


def at(seconds: list[float], share: float) -> str:
    found = sorted(seconds)
    return f"{found[int(len(found) * share)] * 1000:.0f} ms" if found else "-"


async def measure(seconds: float) -> None:
    async with (
        postgres_server() as server,
        valkey_server() as valkey,
        Guardian() as guardian,
        raw_plugin(good) as plugin,
    ):
        dsn = await create_database(server, "load")
        await migrate.upgrade(dsn)
        settings = BOTH | {"BOTCORE_DATABASE_URL": dsn, "BOTCORE_REDIS_URL": valkey}
        capacity = 0.0
        with tempfile.TemporaryDirectory() as folder:
            for name, bounds in (("with", {}), ("without", NO_ADMISSION)):
                log = Path(folder) / f"{name}.log"
                async with (
                    asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool,
                    serving(settings | bounds, log, guardian.group) as url,
                    client(pool, url) as api,
                ):
                    await api.add_plugin(plugin.url)
                    user_id = await api.user()
                    await lift_limit(pool, api, "user", user_id)
                    clients = Clients(urlsplit(url).port or 0, messages(api, user_id))
                    await quickly(clients.closed_loop(CLIENTS, 1))  # the caches are warm then
                    if not capacity:
                        capacity = await quickly(clients.closed_loop(CLIENTS, seconds))
                        print(f"capacity: {capacity:.0f} messages a second, {CLIENTS} clients")
                        print(HEADING)
                    for times in TIMES:
                        told = await quickly(clients.open_loop(capacity * times, seconds))
                        print(line(f"{name}, {times}x", told), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    arguments = parser.parse_args()
    asyncio.run(measure(arguments.seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
