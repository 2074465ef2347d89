"""The project as shipped and its peers, side by side on one PostgreSQL, ready for messages.

All have the same bot, user and plugin: the core makes them, and the peers' databases are copies of
its own. PostgreSQL runs with its own durability settings, its data in memory where there is room:
a disk would cost all the same, and so hide what they differ in.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import asyncpg

from impl import migrate
from impl.local.child import Child
from impl.local.guardian import Guardian
from tests.faults.errors import CannotRunError
from tests.faults.processes import start
from tests.load.overload import client, lift_limit
from tests.load.peers.settings import PeerSettings
from tests.ports import spare_port
from tests.servers import create_database, postgres_server, valkey_server
from tools.contract import ROOT

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
START_SECONDS = 60
# As shipped, but for a plugin on this machine and an end that nobody waits for. What refuses is on,
# and has room: where 64 wait for one another, each waits for longer than the usual 0.1 s.
CORE = {
    "BOTCORE_SECRET_KEY": "a secret key of nobody, long enough",
    "BOTCORE_DEVELOPMENT": "true",
    "BOTCORE_UNREADY_SECONDS": "0",
    "BOTCORE_WORK_WAIT_SECONDS": "60",
}


@dataclass(frozen=True)
class System:
    """One of those that are compared."""

    name: str
    url: str
    pid: int
    database: str


@dataclass
class Stage:
    """`systems` by name; all take the messages of `token`'s bot from `user_id`."""

    postgres: str
    database: str  # the core's
    valkey: str
    plugin: "Plugin"
    token: str
    user_id: str
    peers: PeerSettings  # but for the database
    folder: Path
    group: int
    systems: dict[str, System] = field(default_factory=dict)

    @property
    def core_settings(self) -> dict[str, str]:
        ours = {"BOTCORE_DATABASE_URL": self.database, "BOTCORE_REDIS_URL": self.valkey}
        return CORE | ours


@dataclass(frozen=True)
class Plugin:
    url: str
    pid: int


@asynccontextmanager
async def stage(*names: str, databases: Sequence[str] = ()) -> AsyncIterator[Stage]:
    """`names` of systems to start, each with a database of its own; `core` alone has Valkey.

    `databases`: further copies, of which nothing is started.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="botcore-bench-")))
        guardian = await stack.enter_async_context(Guardian())
        postgres = await stack.enter_async_context(postgres_server(**DURABLE))
        valkey = await stack.enter_async_context(valkey_server())
        plugin = await stack.enter_async_context(plugin_server(folder, guardian.group))
        database = await create_database(postgres, "bench_core")
        await migrate.upgrade(database)
        made = await _furnish(database, valkey, plugin, folder, guardian.group, postgres)
        for name in (*names, *databases):
            place = database
            if name != "core":
                place = await create_database(postgres, f"bench_{name}", template="bench_core")
            made.systems[name] = System(name, "", 0, place)
        for name in names:
            made.systems[name] = await stack.enter_async_context(_running(made, name))
        yield made


async def _furnish(  # noqa: PLR0917  # what a stage is made of
    database: str, valkey: str, plugin: Plugin, folder: Path, group: int, postgres: str
) -> Stage:
    """Bot, user and plugin, by a core that is stopped again: a database in use is not copied."""
    settings = CORE | {"BOTCORE_DATABASE_URL": database, "BOTCORE_REDIS_URL": valkey}
    core = await start("serve", settings, folder / "furnish.log", group)
    try:
        async with (
            asyncpg.create_pool(database, min_size=1, max_size=2) as pool,
            client(pool, core.url) as api,
        ):
            registered = await api.add_plugin(plugin.url)
            user_id = await api.user()
            await lift_limit(pool, api, "user", user_id)
            peers = PeerSettings("", api.bot_id, UUID(registered["plugin_id"]), plugin.url)
            return Stage(postgres, database, valkey, plugin, api.bot_token, user_id, peers, folder,
                         group)  # fmt: skip
    finally:
        await core.stop()


@asynccontextmanager
async def _running(made: Stage, name: str) -> AsyncIterator[System]:
    database = made.systems[name].database
    if name == "core":
        core = await start("serve", made.core_settings, made.folder / "core.log", made.group)
        try:
            yield System(name, core.url, core.child.pid, database)
        finally:
            await core.stop()
        return
    settings = PeerSettings(database, made.peers.bot_id, made.peers.plugin_id, made.plugin.url)
    async with peer(name, settings, made.folder, made.group) as (url, pid):
        yield System(name, url, pid, database)


@asynccontextmanager
async def peer(
    name: str, settings: PeerSettings, folder: Path, group: int
) -> AsyncIterator[tuple[str, int]]:
    """URL and pid of `tests/load/peers/<name>.py`, served as the core is, without its access log.

    Raises CannotRunError where it does not start.
    """
    port = spare_port()
    options = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--no-server-header",
               "--log-level", "warning", "--host", "127.0.0.1", "--port", str(port))  # fmt: skip
    command = (sys.executable, "-m", "uvicorn", f"tests.load.peers.{name}:app", *options)
    async with serving(name, command, folder, group, settings.environment()) as child:
        await until_answered(child, f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}", child.pid


@asynccontextmanager
async def plugin_server(folder: Path, group: int) -> AsyncIterator[Plugin]:
    """The trivially fast plugin, in a process of its own."""
    port = spare_port()
    module = ("-m", "tests.load.peers.plugin", str(port))
    async with serving("plugin", (sys.executable, *module), folder, group) as child:
        await until_answered(child, f"http://127.0.0.1:{port}/health")
        yield Plugin(f"http://127.0.0.1:{port}", child.pid)


@asynccontextmanager
async def serving(
    name: str,
    command: Sequence[str],
    folder: Path,
    group: int,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[Child]:
    """A process of the project's own code, with its log in `folder`."""
    # No variable of the caller's changes what is measured.
    ours = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", **(env or {})}
    child = await Child.start(name, command, log=folder / f"{name}.log", env=ours, group=group)
    try:
        yield child
    finally:
        await child.stop((SIGTERM, 10.0))


async def until_answered(child: Child, url: str) -> None:
    """Any answer will do. Raises CannotRunError where none comes."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(START_SECONDS):
        while True:  # each turn is an attempt
            try:
                async with session.get(url):
                    return
            except aiohttp.ClientError:
                if child.exit_code is not None:
                    raise CannotRunError(f"{child.name} did not start:\n{child.tail()}") from None
                await asyncio.sleep(0.02)


def port_of(url: str) -> int:
    return urlsplit(url).port or 0
