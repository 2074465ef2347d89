"""The short form of `make faults ONLY=instances`: every row."""

import sys

import pytest
import pytest_asyncio

from tests.faults.groups import short_rows
from tests.faults.instances.rows import ROWS
from tests.faults.results import Row, remarks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest_asyncio.fixture(scope="session")
async def rows(postgres: str, migrated: str) -> dict[str, Row]:
    return await short_rows(ROWS, postgres, migrated)


@pytest.mark.parametrize("name", [fault.name for fault in ROWS])
def test_the_row_passes(name: str, rows: dict[str, Row]) -> None:
    row = rows[name]
    assert row.verdict == "PASS", remarks([row])
