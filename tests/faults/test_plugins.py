"""The short form of `make faults ONLY=plugins`: nearly every row.

The processes are real and the machine may be busy, so that the bounds here are seconds wider than
those of the long form; what happens, and how often, is judged alike.
"""

import sys

import pytest
import pytest_asyncio

from tests.faults.groups import short_rows
from tests.faults.plugins.rows import TESTED_ROWS
from tests.faults.results import Row, remarks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest_asyncio.fixture(scope="session")
async def rows(postgres: str, migrated: str) -> dict[str, Row]:
    return await short_rows(TESTED_ROWS, postgres, migrated)


@pytest.mark.parametrize("name", [fault.name for fault in TESTED_ROWS])
def test_the_row_passes(name: str, rows: dict[str, Row]) -> None:
    row = rows[name]
    assert row.verdict == "PASS", remarks([row])
