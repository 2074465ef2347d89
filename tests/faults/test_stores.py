"""The short form of `make faults ONLY=stores`: nearly every row."""

import sys

import pytest
import pytest_asyncio

from tests.faults.groups import short_rows
from tests.faults.results import Row, remarks
from tests.faults.stores.rows import TESTED_ROWS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest_asyncio.fixture(scope="session")
async def rows(postgres: str, migrated: str) -> dict[str, Row]:
    return await short_rows(TESTED_ROWS, postgres, migrated)


@pytest.mark.parametrize("name", [fault.name for fault in TESTED_ROWS])
def test_the_row_passes(name: str, rows: dict[str, Row]) -> None:
    row = rows[name]
    assert row.verdict == "PASS", remarks([row])
