"""What a row is given, and how it is run: in bounded time, whatever happens in it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg
from redis.exceptions import RedisError

from impl.local.child import LocalError
from tests.faults.errors import CannotRunError
from tests.faults.results import Row
from tests.faults.scale import SHORT, Scale
from tests.faults.world import Servers

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    servers: Servers
    scale: Scale
    random: random.Random
    progress: Progress


Body = Callable[[Run, Row], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """A row of a group: `body` fills it, and raises CannotRunError where it cannot be tried."""

    group: str
    name: str
    body: Body


async def run_row(fault: Fault, run: Run) -> Row:
    """Whatever is raised makes the row one that was not run: never a pass."""
    row, started = Row(fault.group, fault.name), time.monotonic()
    try:
        async with asyncio.timeout(run.scale.row_seconds):
            await fault.body(run, row)
    except TimeoutError as error:
        row.faults.append(f"not done: {str(error) or f'within {run.scale.row_seconds:g} s'}")
    except (CannotRunError, LocalError, OSError, asyncpg.PostgresError, RedisError) as error:
        row.not_run = f"{type(error).__name__}: {error}"
    except Exception as error:  # noqa: BLE001  # a mistake of the suite is not a fault of the core
        row.not_run = f"the suite failed: {type(error).__name__}: {error}"
    row.seconds = time.monotonic() - started
    return row


async def run_rows(
    faults: Sequence[Fault], servers: Servers, scale: Scale, seed: int, progress: Progress
) -> list[Row]:
    free = asyncio.Semaphore(scale.at_once)

    async def one(fault: Fault) -> Row:
        async with free:
            progress(f"{fault.group}: {fault.name}")
            # Of its own for each row, so that one row alone does the same as in a whole run.
            rng = random.Random(f"{seed} {fault.name}")
            row = await run_row(fault, Run(servers, scale, rng, progress))
            progress(f"  {row.verdict} after {row.seconds:.0f} s: {fault.name}")
            return row

    return await asyncio.gather(*map(one, faults))


async def short_rows(faults: Sequence[Fault], postgres: str, template: str) -> dict[str, Row]:
    """By name, for the tests."""
    servers = Servers(postgres, template)
    rows = await run_rows(faults, servers, SHORT, seed=1, progress=lambda _: None)
    return {row.name: row for row in rows}
