"""Real PostgreSQL and Valkey for tests, as the product starts them, one of each a session."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGQUIT
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from impl.local.guardian import Guardian
from impl.local.postgres import EmbeddedPostgres
from impl.local.valkey import EmbeddedValkey

# Nobody's data: a crash may lose them.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
ROOM = {"max_connections": "200"}


MEMORY = Path("/dev/shm")
ENOUGH = 2 * 1024**3  # a migrated database has 9 MB, and each test drops its own


def fast_folder() -> str | None:
    """Where data are written and removed without a disk, or None for the usual place.

    In a container it is often 64 MiB small, and a full one kills what writes there.
    """
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ENOUGH:
        return None
    return str(MEMORY)


@asynccontextmanager
async def postgres_server(**settings: str) -> AsyncIterator[str]:
    """DSN of a fresh server's database `botcore`; `settings` are PostgreSQL's, by name."""
    options = {**FAST, **ROOM, **settings}
    with tempfile.TemporaryDirectory(prefix="botcore-", dir=fast_folder()) as directory:
        data = Path(directory) / "postgres"
        async with (
            Guardian() as guardian,  # so that a killed test run leaves nothing behind
            EmbeddedPostgres(data, settings=options, group=guardian.group) as server,
        ):
            try:
                yield server.dsn
            finally:
                # Nobody's data: no checkpoint of a hundred databases.
                await server.child.stop((SIGQUIT, 5))


@asynccontextmanager
async def valkey_server() -> AsyncIterator[str]:
    """URL of a fresh server, with its password."""
    with tempfile.TemporaryDirectory(prefix="botcore-", dir=fast_folder()) as directory:
        data = Path(directory) / "valkey"
        async with Guardian() as guardian, EmbeddedValkey(data, group=guardian.group) as server:
            yield server.url


async def create_database(dsn: str, name: str, template: str | None = None) -> str:
    """Make database `name`, a copy of `template` where given (nobody may be connected to it)."""
    connection = await asyncpg.connect(dsn)
    try:
        source = f' TEMPLATE "{template}"' if template else ""
        await connection.execute(f'CREATE DATABASE "{name}"{source}')
    finally:
        await connection.close()
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


async def drop_database(dsn: str) -> None:
    """Remove the database of `dsn`, whoever is still connected to it."""
    server = urlsplit(dsn)
    connection = await asyncpg.connect(urlunsplit(server._replace(path="/postgres")))
    try:
        name = server.path.removeprefix("/")
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()
