"""Real PostgreSQL and Valkey for tests, as the product starts them, one of each a session."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from impl.local.guardian import Guardian
from impl.local.postgres import EmbeddedPostgres
from impl.local.valkey import EmbeddedValkey

# Nobody's data: a crash may lose them.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
ROOM = {"max_connections": "200"}


@asynccontextmanager
async def postgres_server(**settings: str) -> AsyncIterator[str]:
    """DSN of a fresh server's database `botcore`; `settings` are PostgreSQL's, by name."""
    options = {**FAST, **ROOM, **settings}
    with tempfile.TemporaryDirectory(prefix="botcore-") as directory:
        data = Path(directory) / "postgres"
        async with (
            Guardian() as guardian,  # so that a killed test run leaves nothing behind
            EmbeddedPostgres(data, settings=options, group=guardian.group) as server,
        ):
            yield server.dsn


@asynccontextmanager
async def valkey_server() -> AsyncIterator[str]:
    """URL of a fresh server, with its password."""
    with tempfile.TemporaryDirectory(prefix="botcore-") as directory:
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
