"""Whether the database has room for the connections that a command may open."""

import asyncpg
import structlog

from impl.db import UNAVAILABLE, Executor
from impl.settings import Settings

log = structlog.get_logger()

# What it keeps for its superusers is not ours.
ROOM = """
SELECT current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true), '0')::int
"""


def opened_by(settings: Settings, processes: int) -> int:
    """How many connections so many processes open at most: each a pool, and one for wake-ups."""
    return processes * (settings.database_pool_size + 1)


async def warn_if_few(executor: Executor, settings: Settings, processes: int) -> None:
    """Once, at the start, where they alone are more than the database permits.

    No reason not to start: a pool opens what it needs, and fewer may do. Behind a pgbouncer
    nothing is told: its own limits hold there.
    """
    if settings.database_listen_url is not None or not settings.database_statement_cache:
        return
    wanted = opened_by(settings, processes)
    try:
        permitted = await executor.fetchval(ROOM)
    except (*UNAVAILABLE, asyncpg.PostgresError):
        return  # whoever needs it says that it is away
    if wanted > permitted:
        log.warning(
            "few_database_connections",
            wanted=wanted,
            permitted=permitted,
            processes=processes,
            set_by="BOTCORE_DATABASE_POOL_SIZE",
        )
