"""Each row of the group `instances` finds a mistake of the core that it is there for."""

import sys

import pytest
import pytest_asyncio

from tests.faults.breaks import Break, assert_found, broken_rows
from tests.faults.instances.rows import ROWS
from tests.faults.results import Row

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

CLOCK = "__import__('time').time()"
BREAKS = {
    "an acknowledgement before the commit": Break(
        "kill -9 of an instance under load", "impl/dialogs/service.py",
        "        intake = await repeated_if_lost("
        "lambda: take_in_for_later(self.pool, message, call, limit))\n",
        "        asyncio.get_running_loop().call_later(0.3, lambda: asyncio.ensure_future("
        "take_in_for_later(self.pool, message, call, limit)))\n"
        "        return Queued(message.trace_id, message.key.bot_id)\n",
        "was acknowledged and is not there",
    ),
    "the door closes before the readiness says no": Break(
        "rolling restarts under load", "impl/serve.py",
        "        await self._give_notice()\n", "",
        "not 503 first",
    ),
    "a request is held for a client that is gone": Break(
        "clients hang up at any moment", "impl/protocol.py",
        "        super().connection_lost(exc)\n", "",
        "requests are under way after the aborts",
    ),
    "a lease is over by the process's clock": Break(
        "clocks that are an hour wrong", "impl/dialogs/queries/claim.py",
        "        CLAIM,\n",
        '        CLAIM.replace("lease_until < now()", '
        f'f"lease_until < to_timestamp({{{CLOCK}}})"),\n',
        "calls were taken from whoever made them",
    ),
    "a plugin is silent by the process's clock": Break(
        "clocks that are an hour wrong", "impl/plugins/watcher/queries.py",
        '"greatest(last_heartbeat, registered_at) < now() -',
        f'f"greatest(last_heartbeat, registered_at) < to_timestamp({{{CLOCK}}}) -',
        "plugin_heartbeat_missed was told",
    ),
}  # fmt: skip


@pytest_asyncio.fixture(scope="session")
async def found(
    postgres: str, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Row]:
    return await broken_rows(BREAKS, ROWS, postgres, migrated, tmp_path_factory)


def test_every_row_has_its_bite() -> None:
    assert {made.row for made in BREAKS.values()} == {fault.name for fault in ROWS}


@pytest.mark.parametrize("name", BREAKS)
def test_the_row_does_not_pass_where(name: str, found: dict[str, Row]) -> None:
    assert_found(found[name], BREAKS[name])
