"""The short form of `make faults ONLY=plugins`: nearly every row, small, two at a time.

The processes are real and the machine may be busy, so that the bounds here are a second wider than
those of the long form; what happens, and how often, is judged alike.
"""

import asyncio
import random
import sys

import pytest
import pytest_asyncio

from tests.faults.groups import Fault, Run, run_row
from tests.faults.plugins.rows import SMALL_ROWS
from tests.faults.results import Row, remarks
from tests.faults.scale import SMALL
from tests.faults.world import Servers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest_asyncio.fixture(scope="session")
async def rows(postgres: str, migrated: str) -> dict[str, Row]:
    """Two at a time: much of a row is waiting, and each starts processes of its own."""
    servers, free = Servers(postgres, migrated), asyncio.Semaphore(2)

    async def one(fault: Fault) -> Row:
        async with free:
            return await run_row(
                fault, Run(servers, SMALL, random.Random(fault.name), lambda _: None)
            )

    return {row.name: row for row in await asyncio.gather(*map(one, SMALL_ROWS))}


@pytest.mark.parametrize("name", [fault.name for fault in SMALL_ROWS])
def test_the_row_passes(name: str, rows: dict[str, Row]) -> None:
    row = rows[name]
    assert row.verdict == "PASS", remarks([row])
