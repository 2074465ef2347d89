"""What an API process still serves when 1, 3 and 10 times its capacity is asked of it, with and
without its admission control: python -m tests.load.overload

One process, PostgreSQL, Valkey and the clients share this machine. The request asks for a dialog
that is not there: a token, a quota and a query. Good is what is answered so within the 1.5 s that
the core promises.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import uvloop

from impl import migrate
from impl.local.guardian import Guardian
from impl.tokens.issue import issue
from tests.faults.processes import start
from tests.load.clients import Clients, Told
from tests.servers import create_database, postgres_server, valkey_server

PROMISE_SECONDS = 1.5
TIMES = (1, 3, 10)
CLIENTS = 16  # who wait for one another, while the capacity is measured
NO_ADMISSION = {
    "BOTCORE_REQUESTS_UNDER_WAY": "1000000",
    "BOTCORE_REQUESTS_PER_TOKEN": "1000000",
    "BOTCORE_WORK_UNDER_WAY": "1000000",
    "BOTCORE_WORK_WAIT_SECONDS": "60",
}
# One token asks for everything here, so its own bound would be all that is seen.
ADMISSION = {"BOTCORE_REQUESTS_PER_TOKEN": "1000000"}


async def prepare(dsn: str) -> tuple[bytes, UUID, str]:
    """The request, its bot, and an operator's key."""
    connection = await asyncpg.connect(dsn)
    try:
        bot_id = await connection.fetchval("INSERT INTO bots (name) VALUES ('load') RETURNING id")
        bot = await issue(connection, "bot", subject_id=bot_id, scopes=["dialogs:read"])
        key = await issue(connection, "admin", scopes=["limits:manage"])
    finally:
        await connection.close()
    head = f"GET /api/v1/dialogs/{uuid4()} HTTP/1.1\r\nHost: x\r\nX-Bot-Token: {bot.plaintext}"
    return f"{head}\r\n\r\n".encode(), bot_id, key.plaintext


async def lift_limit(url: str, bot_id: UUID, key: str) -> None:
    async with aiohttp.ClientSession(headers={"X-Admin-Key": key}) as session:
        body = {"quota": 1_000_000, "window_seconds": 1}
        place = f"{url}/api/v1/admin/limits/bot/{bot_id}"
        async with session.put(place, json=body, raise_for_status=True):
            pass


@asynccontextmanager
async def serving(settings: dict[str, str], log: Path, group: int) -> AsyncIterator[str]:
    process = await start("serve", settings, log, group)
    try:
        yield process.url
    finally:
        await process.stop()


def line(name: str, told: Told) -> str:
    good = sum(took <= PROMISE_SECONDS for took in told.served)
    return (
        f"{name:<24}{told.due / told.seconds:>9.0f}{good / told.seconds:>9.0f}"
        f"{at(told.served, 0.5):>10}{at(told.served, 0.99):>10}"
        f"{len(told.refusals):>9}{at(told.refusals, 0.99):>10}"
        f"{len(told.served) - good:>7}{told.unanswered:>8}"
    )


def at(seconds: list[float], share: float) -> str:
    found = sorted(seconds)
    return f"{found[int(len(found) * share)] * 1000:.0f} ms" if found else "-"


async def measure(seconds: float) -> None:
    async with postgres_server() as server, valkey_server() as valkey, Guardian() as guardian:
        dsn = await create_database(server, "load")
        await migrate.upgrade(dsn)
        request, bot_id, key = await prepare(dsn)
        settings = {
            "BOTCORE_DATABASE_URL": dsn,
            "BOTCORE_REDIS_URL": valkey,
            "BOTCORE_SECRET_KEY": "a secret key of nobody, long enough",
            "BOTCORE_UNREADY_SECONDS": "0",
            "BOTCORE_LOG_LEVEL": "warning",
        }
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "serve.log"
            capacity = 0.0
            for name, bounds in (("with", ADMISSION), ("without", NO_ADMISSION)):
                async with serving(settings | bounds, log, guardian.group) as url:
                    await lift_limit(url, bot_id, key)
                    clients = Clients(urlsplit(url).port or 0, request)
                    await clients.closed_loop(CLIENTS, 1)  # the caches are warm then
                    if not capacity:
                        capacity = await clients.closed_loop(CLIENTS, seconds)
                        print(f"capacity: {capacity:.0f} requests a second, {CLIENTS} clients")
                        print(HEADING)
                    for times in TIMES:
                        told = await clients.open_loop(capacity * times, seconds)
                        print(line(f"{name} admission, {times}x", told), flush=True)
                        await asyncio.sleep(1)


HEADING = (
    f"{'':<24}{'asked/s':>9}{'good/s':>9}{'p50':>10}{'p99':>10}"
    f"{'refused':>9}{'their p99':>10}{'late':>7}{'silent':>8}"
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure(arguments.seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
