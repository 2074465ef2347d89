"""A core that is broken on purpose does not pass: processes, plugin, bots and checker together."""

import random
import shutil
import sys
from pathlib import Path

import pytest

from tests.faults.groups import Fault, Run, run_row
from tests.faults.plugins import storm
from tests.faults.scale import SMALL
from tests.faults.world import Servers
from tools.contract import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def broken(folder: Path, file: str, old: str, new: str) -> Path:
    """A copy of the core in which the first `old` of `file` is `new`."""
    for name in ("generated", "impl", "migrations"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    text = (folder / file).read_text()
    assert old in text, f"{file} does not hold {old!r}"
    (folder / file).write_text(text.replace(old, new, 1))
    return folder


async def test_the_storm_does_not_pass_where_the_key_decides_no_race(
    postgres: str, migrated: str, tmp_path: Path
) -> None:
    root = broken(tmp_path, "impl/dialogs/service.py", "if intake.stored:", "if True:")
    run = Run(Servers(postgres, migrated, root), SMALL, random.Random(1), lambda _: None)
    row = await run_row(Fault("plugins", "storm", storm.run), run)
    assert row.verdict == "FAIL"
    assert any("the plugin was called" in fault for fault in row.faults), row.faults
