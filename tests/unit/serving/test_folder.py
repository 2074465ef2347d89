"""The folder of an instance's metrics ends with its supervisor, or with the next one's start."""

import fcntl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from impl.serving import folder
from tools.contract import ROOT

KILLED = """
import os, signal, sys
from pathlib import Path
from impl.serving import folder
folder.MEMORY = Path(sys.argv[1])
with folder.own_folder() as own:
    folder.name_processes(own, [])
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_supervisor_left_is_removed_and_what_another_has_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "MEMORY", tmp_path)
    with folder.own_folder() as first:
        command = [sys.executable, "-c", KILLED, str(tmp_path)]
        subprocess.run(command, cwd=ROOT, check=False)
        left = {path for path in tmp_path.iterdir() if path != first}
        assert len(left) == 1
        with folder.own_folder() as second:
            assert set(tmp_path.iterdir()) == {first, second}
    assert list(tmp_path.iterdir()) == []


def test_another_supervisor_that_starts_at_the_same_moment_leaves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "MEMORY", tmp_path)
    lock = fcntl.flock

    def lock_late(file: Any, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        folder._remove_left(tmp_path)
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", lock_late)
    with folder.own_folder() as own:
        folder._remove_left(tmp_path)
        assert own.is_dir()
