"""`botcore retention`."""

import time
from collections import Counter

import asyncpg
import typer

from impl.cli.database import run
from impl.cli.environment import retention_settings
from impl.db import Pool, prepare_connection
from impl.retention.retention import Retention

TOLD_SECONDS = 1.0


def retention(*, dry_run: bool) -> None:
    settings = retention_settings()

    async def work(url: str) -> None:
        pool: Pool
        async with asyncpg.create_pool(
            url, min_size=0, max_size=1, init=prepare_connection, statement_cache_size=0
        ) as pool:
            kept = Retention(pool, settings)
            await (_count(kept) if dry_run else _remove(kept))

    run(work)


async def _count(kept: Retention) -> None:
    async for table, rows in kept.count():
        typer.echo(f"{table}: {rows} rows would be removed")


async def _remove(kept: Retention) -> None:
    """A line a second while it works, and one for each table in the end."""
    removed: Counter[str] = Counter()
    told = time.monotonic()
    async for table, rows in kept.remove():
        removed[table] += rows
        if time.monotonic() - told > TOLD_SECONDS:
            typer.echo(f"{table}: {removed[table]} rows so far")
            told = time.monotonic()
    for table in ("outbox", "plugin_events", "audit_logs", "message_keys"):
        typer.echo(f"{table}: {removed[table]} rows removed")
