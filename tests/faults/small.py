"""The rows of a group in their small form, two at a time."""

import asyncio
import random
from collections.abc import Sequence

from tests.faults.groups import Fault, Run, run_row
from tests.faults.results import Row
from tests.faults.scale import SMALL
from tests.faults.world import Servers


async def small_rows(faults: Sequence[Fault], postgres: str, template: str) -> dict[str, Row]:
    """Two at a time: much of a row is waiting, and each starts processes of its own."""
    servers, free = Servers(postgres, template), asyncio.Semaphore(2)

    async def one(fault: Fault) -> Row:
        async with free:
            rng = random.Random(fault.name)
            return await run_row(fault, Run(servers, SMALL, rng, lambda _: None))

    return {row.name: row for row in await asyncio.gather(*map(one, faults))}
