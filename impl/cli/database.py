"""Runs a command's work on the database, and tells a person what went wrong with it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from generated.runtime.problems import ProblemError
from impl.cli.environment import database_url, origin, refuse
from impl.db import prepare_connection
from impl.secrecy.text import scrubbed_text
from impl.secrecy.urls import place

T = TypeVar("T")


def run(work: Callable[[str], Awaitable[T]]) -> T:
    """Call `work` with the database's URL; what fails ends the command with one line."""
    url = database_url()

    async def main() -> T:
        return await work(url)

    try:
        return asyncio.run(main())
    except asyncpg.UndefinedTableError:
        refuse("the database has no tables yet: run `botcore migrate`", code=1)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        refuse(f"cannot use the database{place(url)} of {origin()}: {_reason(error)}")


def opened(work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Run `work` on a connection. What the contract names as an error ends it with one line."""

    async def main(url: str) -> T:
        connection = await asyncpg.connect(url, timeout=10, statement_cache_size=0)
        try:
            await prepare_connection(connection)
            return await work(connection)
        finally:
            await connection.close()

    try:
        return run(main)
    except ProblemError as problem:
        refuse(_told(problem), code=1)


def connected(work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Run `work` in one transaction."""

    async def main(connection: asyncpg.Connection) -> T:
        async with connection.transaction():
            return await work(connection)

    return opened(main)


def _told(problem: ProblemError) -> str:
    faults = [f"{each.pointer.split('/')[1]}: {each.message}" for each in problem.errors]
    return "; ".join(dict.fromkeys(faults)) or problem.detail


def _reason(error: Exception) -> str:
    return scrubbed_text(str(error).splitlines()[0]) if str(error) else type(error).__name__
