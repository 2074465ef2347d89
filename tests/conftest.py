"""Real servers, one of each a session, and a database of its own for each test that asks."""

import os
from collections.abc import AsyncIterator, Iterator
from itertools import count

import asyncpg
import hypothesis
import pytest
import pytest_asyncio

from impl import migrate
from impl.db import prepare_connection
from tests.mutations.score import SCORE
from tests.patience import be_as_deployed, be_patient
from tests.ports import spare_port
from tests.servers import create_database, drop_database, postgres_server, valkey_server

TEMPLATE = "migrated"
LENGTHY = ("tests/mutations/", "tests/faults/test_bites", "tests/contract/test_cli")
# The same examples each time, however slow the machine is.
hypothesis.settings.register_profile(
    "botcore",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("botcore")
_numbers = count(1)


def pytest_xdist_auto_num_workers() -> int:
    """More than processors: a third of a test's time is waiting."""
    return (os.cpu_count() or 2) * 3 // 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The lengthy files first: whoever begins with one last is waited for."""
    items.sort(key=lambda item: not item.nodeid.startswith(LENGTHY))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Whoever passes wants to see what was tried, too."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, lines in getattr(report, "user_properties", ()):
                if name == SCORE:
                    terminalreporter.write_line("\n".join(lines))


@pytest.fixture(scope="session", autouse=True)
def _patient() -> Iterator[None]:
    """No test meets by chance a limit that it does not ask for."""
    with pytest.MonkeyPatch.context() as patch:
        be_patient(patch)
        yield


@pytest.fixture
def limits_as_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test of these limits."""
    be_as_deployed(monkeypatch)


@pytest_asyncio.fixture(scope="session")
async def postgres() -> AsyncIterator[str]:
    """DSN of a server of this session."""
    # Statistics change when a test says so, and with them the plans that it looks at.
    async with postgres_server(autovacuum="off") as dsn:
        yield dsn


@pytest_asyncio.fixture(scope="session")
async def valkey() -> AsyncIterator[str]:
    """URL of a server of this session; its data are shared, so choose keys of your own."""
    async with valkey_server() as url:
        yield url


@pytest_asyncio.fixture(scope="session")
async def migrated(postgres: str) -> str:
    """Name of the database that `database` copies: a copy costs less than the migrations."""
    await migrate.upgrade(await create_database(postgres, TEMPLATE))
    return TEMPLATE


@pytest_asyncio.fixture
async def empty_database(postgres: str) -> AsyncIterator[str]:
    dsn = await create_database(postgres, f"empty_{next(_numbers)}")
    yield dsn
    await drop_database(dsn)


@pytest_asyncio.fixture
async def database(postgres: str, migrated: str) -> AsyncIterator[str]:
    """DSN of a fresh, migrated database."""
    dsn = await create_database(postgres, f"test_{next(_numbers)}", template=migrated)
    yield dsn
    await drop_database(dsn)


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(
        database, min_size=0, max_size=10, init=prepare_connection
    ) as opened:
        yield opened


@pytest_asyncio.fixture
async def connection(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    async with pool.acquire() as acquired:
        yield acquired


@pytest.fixture
def unused_tcp_port() -> int:
    """In place of pytest-asyncio's, which the system may give away again at once."""
    return spare_port()


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own BOTCORE_… variables change no test."""
    import os

    for name in [name for name in os.environ if name.startswith("BOTCORE_")]:
        monkeypatch.delenv(name)
