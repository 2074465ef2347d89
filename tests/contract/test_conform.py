"""`make conform` on the core itself: every cell of the table is filled, and holds."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import asyncpg
import pytest
import pytest_asyncio

from impl.db import prepare_connection
from tests.servers import create_database, drop_database
from tests.stack import running_api, scripted_plugin, settings_for
from tools.bundler import bundle
from tools.conform import results as reports
from tools.conform.codes import FAULTS, UNREACHED
from tools.conform.keys import issued_keys
from tools.conform.results import COLUMNS, Result, Results
from tools.conform.run import Target, conform
from tools.contract import operations

CONTRACT = bundle("openapi.yaml")
OPERATIONS = {operation.id: operation for operation in operations(CONTRACT)}
# What of the contract fills a column; the others every operation has.
PROMISED_BY = {
    "scopes": "security",
    "owner": "x-owner",
    "limit": "x-rate-limit",
    "idempotency": "x-idempotency",
    "events": "x-emits",
}
CELLS = [
    (name, column)
    for name, operation in OPERATIONS.items()
    for column in COLUMNS
    if column not in PROMISED_BY or operation.spec.get(PROMISED_BY[column])
]

LEFT = """
SELECT name FROM bots WHERE name LIKE 'conform%' AND revoked_at IS NULL
UNION ALL SELECT name FROM plugins WHERE name LIKE 'conform%' AND deleted_at IS NULL
UNION ALL SELECT 'a limit' FROM rate_limits WHERE quota IS NOT NULL
"""


@pytest_asyncio.fixture(scope="session")
async def ran(postgres: str, valkey: str, migrated: str) -> tuple[Results, list[str]]:
    """The one run that all tests here read, and the names of what it left behind."""
    database = await create_database(postgres, "conform", template=migrated)
    async with (
        asyncpg.create_pool(database, min_size=0, max_size=4, init=prepare_connection) as pool,
        running_api(pool, settings_for(database, valkey)) as api,
        scripted_plugin() as plugin,
        issued_keys(database) as keys,
    ):
        await api.add_plugin(plugin.url)
        done = await conform(CONTRACT, Target(api.url, keys), lambda _: None)
        left = [row["name"] for row in await pool.fetch(LEFT)]
    await drop_database(database)
    print(reports.table(done, list(OPERATIONS)))  # what CI shows
    return done, left


@pytest.fixture(scope="session")
def found(ran: tuple[Results, list[str]]) -> Results:
    return ran[0]


def test_what_a_run_makes_is_taken_away(ran: tuple[Results, list[str]]) -> None:
    assert ran[1] == []


@pytest.mark.parametrize(("operation", "column"), CELLS)
def test_the_contract_is_kept(operation: str, column: str, found: Results) -> None:
    cases = [case for case in found.cases if (case.operation, case.column) == (operation, column)]
    assert cases
    assert [f"{case.case}: {case.fault}" for case in cases if case.fault] == []
    # Those are tried in tests/unit/runtime/test_faults.py, and by integration tests of their own.
    others = {case for name, case in UNREACHED if name == operation}
    assert {case.case for case in cases if case.untried} <= FAULTS | others


def test_it_is_told_to_a_person_and_to_machines(tmp_path: Path) -> None:
    told = Results(
        [
            Result("getHealth", "statuses", "200"),
            Result("getHealth", "statuses", "not_acceptable", fault="answered 200"),
            Result("getHealth", "statuses", "internal_error", untried="a fault"),
        ]
    )
    assert reports.table(told, ["getHealth"]).splitlines()[-1].split()[:4] == [
        "getHealth", "1✓", "1✗", "1·",
    ]  # fmt: skip
    assert "✗ getHealth · statuses · not_acceptable: answered 200" in reports.summary(told)
    reports.write(told, "http://core", tmp_path)
    assert json.loads((tmp_path / "conform.json").read_text())["failed"] == 1
    suite = ET.parse(tmp_path / "conform.xml").getroot()  # our own
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
