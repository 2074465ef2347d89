"""Brings a database from one revision of `migrations/` to another.

Everything happens in one transaction that holds an advisory lock: instances which start together
take turns, and a migration that fails leaves nothing behind. (The lock is the transaction's, not
the session's: it also works behind a pgbouncer.)
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from impl import roles
from impl.db import LIMIT_TRANSACTION

OLDEST_POSTGRESQL = 16
LOCK = 0x626F74636F7265  # "botcore"
# Beside the package, wherever that is installed and whatever the current directory is.
SCRIPTS = Path(__file__).resolve().parents[1] / "migrations"

Command = Callable[..., object]


class MigrationError(Exception):
    """The database cannot be brought there; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """Revisions; None is an empty database."""

    before: str | None
    after: str | None


async def current(database_url: str) -> str | None:
    async with _connect(database_url) as connection:
        return await _revision(connection)


async def upgrade(database_url: str, revision: str = "head") -> Migrated:
    return await _migrate(database_url, lambda _: command.upgrade, revision)


async def downgrade(database_url: str, revision: str) -> Migrated:
    """Go back to `revision`; "base" drops every table."""
    return await _migrate(database_url, lambda _: command.downgrade, revision)


async def move(database_url: str, revision: str) -> Migrated:
    """Upgrade or downgrade, whichever leads there."""
    return await _migrate(database_url, lambda now: _direction(now, revision), revision)


def check_version(major: int) -> None:
    if major < OLDEST_POSTGRESQL:
        raise MigrationError(
            f"botcore needs PostgreSQL {OLDEST_POSTGRESQL} or later; this server is {major}"
        )


async def _migrate(
    database_url: str, choose: Callable[[str | None], Command], revision: str
) -> Migrated:
    async with _connect(database_url) as connection:
        # It may take long, whatever limit its role or database has.
        await connection.execute(text(LIMIT_TRANSACTION.format(limit=0)))
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        # A busy table: give up, rather than make every later query wait behind us.
        await connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        # Whoever migrates next, as another login of the role, owns what this one makes.
        if await connection.scalar(text(roles.TAKES_MIGRATION)):
            await connection.execute(text(f"SET LOCAL ROLE {roles.MIGRATION}"))
        before = await _revision(connection)
        _refuse_newer(before)
        try:
            await connection.run_sync(_run, choose(before), revision)
        except CommandError as error:
            raise MigrationError(str(error)) from error
        except DBAPIError as error:
            reason = error.orig and error.orig.__cause__
            raise MigrationError(f"failed, and changed nothing: {reason}") from error
        return Migrated(before, await _revision(connection))


@asynccontextmanager
async def _connect(database_url: str) -> AsyncIterator[AsyncConnection]:
    # asyncpg reads the URL itself, so that it means here what it means to the pool.
    opened = await asyncpg.connect(
        database_url.replace("postgresql+asyncpg://", "postgresql://", 1),
        statement_cache_size=0,
        timeout=10,
    )

    async def already_opened() -> Any:
        return opened

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=already_opened, poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            await _check_server(connection)
            yield connection
    finally:
        await opened.close()


async def _check_server(connection: AsyncConnection) -> None:
    number = await connection.scalar(text("SELECT current_setting('server_version_num')::int"))
    check_version(number // 10_000)


async def _revision(connection: AsyncConnection) -> str | None:
    if not await connection.scalar(text("SELECT to_regclass('migrations_info') IS NOT NULL")):
        return None
    found: str | None = await connection.scalar(text("SELECT version_num FROM migrations_info"))
    return found


def _run(connection: Connection, migrate: Command, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    migrate(config, revision)


def _config() -> Config:
    config = Config()
    # "%" is the configuration's own sign.
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def known() -> list[str]:
    """Every revision of this botcore, oldest first."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return [script.revision for script in scripts][::-1]


def _refuse_newer(now: str | None) -> None:
    if now is not None and now not in known():
        raise MigrationError(
            f"the database is at revision {now}, and this botcore knows {', '.join(known())}: "
            f"a newer one has migrated it. Run that one, or migrate back with it first"
        )


def _direction(now: str | None, revision: str) -> Command:
    revisions = known()
    if revision == "base" and now is not None:
        return command.downgrade
    if revision not in revisions or now is None:
        return command.upgrade
    return (
        command.upgrade if revisions.index(revision) >= revisions.index(now) else command.downgrade
    )
