"""A core that is broken on purpose does not pass: processes, plugin, bots and checker together."""

import random
import sys
from pathlib import Path

import pytest

from tests.faults.breaks import broken
from tests.faults.groups import Fault, Run, run_row
from tests.faults.plugins import storm
from tests.faults.scale import SHORT
from tests.faults.world import Servers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


async def test_the_storm_does_not_pass_where_the_key_decides_no_race(
    postgres: str, migrated: str, tmp_path: Path
) -> None:
    root = broken(tmp_path, "impl/dialogs/service.py", "if intake.stored:", "if True:")
    run = Run(Servers(postgres, migrated, root), SHORT, random.Random(1), lambda _: None)
    row = await run_row(Fault("plugins", "storm", storm.run), run)
    assert row.verdict == "FAIL"
    assert any("the plugin was called" in fault for fault in row.faults), row.faults
