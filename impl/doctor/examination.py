"""All checks, in order. What one of them lacks is told, and stops no other."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg
from redis.asyncio import Redis

from impl import migrate
from impl.db import Executor, prepare_connection
from impl.doctor import clocks, configuration, database, expiries, plugins, redis, work
from impl.doctor.finding import Finding, failed, unchecked
from impl.redis import UNREACHABLE, patient_client
from impl.secrecy.text import scrubbed_text
from impl.settings import Settings

WAIT_SECONDS = 5.0
FALLBACK, REDIS_WAIT = "fallback_plugin", "redis_timeout_seconds"
WORK = ("workers", "mode", "streams", "outbox", "queue")


@dataclass(frozen=True, slots=True)
class Patient:
    """`redis_url` None: nobody said where it is. `settings` None: they are wrong, as told."""

    database_url: str
    redis_url: str | None
    settings: Settings | None
    complaints: list[str]

    def setting(self, name: str) -> object:
        """The default's where the settings are wrong."""
        if self.settings is not None:
            return getattr(self.settings, name)
        return Settings.model_fields[name].default


async def examine(patient: Patient) -> list[Finding]:
    found = configuration.check(patient.settings, patient.complaints)
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(_connected(patient.database_url))
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            advice = "see BOTCORE_DATABASE_URL, and whether the server runs"
            found.append(failed("database", f"it cannot be reached: {_reason(error)}", advice))
            connection = None
        client = None
        if patient.redis_url is not None:
            client = patient_client(patient.redis_url, WAIT_SECONDS)
            stack.push_async_callback(client.aclose)
        found += await _of_database(patient, connection)
        found += await _of_redis(patient, client)
        if connection is not None:
            found += await _tried("clock", clocks.check(connection, client))
    return found


async def _of_database(patient: Patient, connection: Executor | None) -> list[Finding]:
    if connection is None:
        names = ("migrations", "connections", *WORK, "plugins", "clock")
        return [unchecked(name, "no database") for name in names]
    bounds = work.Bounds(
        float(str(patient.setting("degraded_lag_seconds"))),
        float(str(patient.setting("queue_seconds"))),
    )
    fallback = str(patient.setting(FALLBACK))
    return [
        *await _tried("database", database.check(connection, migrate.known())),
        *await _tried("work", work.check(connection, bounds)),
        *await _tried("plugins", plugins.check(connection, fallback)),
    ]


async def _of_redis(patient: Patient, client: Redis | None) -> list[Finding]:
    if client is None:
        return [failed("redis", "BOTCORE_REDIS_URL is not set", "set it: redis://host:port/0")]
    waits = float(str(patient.setting(REDIS_WAIT)))
    try:
        return [*await redis.check(client, waits), *await expiries.check(client)]
    except UNREACHABLE as error:
        found = f"it cannot be used: {_reason(error)}"
        advice = "see BOTCORE_REDIS_URL, and whether the server runs; requests go on meanwhile"
        return [failed("redis", found, advice), unchecked("expiries", "no Redis")]


async def _tried(check: str, findings: Awaitable[list[Finding]]) -> list[Finding]:
    """Tables that are not as this botcore knows them are told, and the rest is looked at."""
    try:
        return await findings
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        advice = "bring the tables up to date: `botcore migrate`"
        return [failed(check, f"it cannot be looked at: {_reason(error)}", advice)]


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(
        url,
        timeout=WAIT_SECONDS,
        command_timeout=WAIT_SECONDS,
        statement_cache_size=0,  # it may be a pgbouncer
    )
    try:
        await prepare_connection(connection)
        yield connection
    finally:
        await connection.close(timeout=WAIT_SECONDS)


def _reason(error: BaseException) -> str:
    """Without what an address or a statement may tell."""
    first = scrubbed_text(str(error).splitlines()[0])[:200] if str(error) else ""
    return f"{type(error).__name__}{f': {first}' if first else ''}"
