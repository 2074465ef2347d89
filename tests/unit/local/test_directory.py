import asyncio
import os
import stat
import subprocess
from pathlib import Path

import pytest

from impl.local import directory as subject
from impl.local.child import LocalError
from impl.local.directory import Directory


@pytest.fixture
def here(tmp_path: Path) -> Directory:
    directory = Directory(tmp_path / "state")
    directory.make()
    return directory


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_is_ours_alone(here: Directory) -> None:
    assert mode(here.path) == 0o700


def test_environment_comes_back_and_only_we_may_read_it(here: Directory) -> None:
    values = {"BOTCORE_URL": "http://127.0.0.1:1", "BOTCORE_BOT_TOKEN": 'it\'s $HOME `x` "y"'}
    here.write_environment(values)
    assert here.read_environment() == values
    assert mode(here.environment_file) == 0o600


def test_a_posix_shell_reads_the_environment_as_it_was_written(here: Directory) -> None:
    here.write_environment({"BOTCORE_BOT_TOKEN": 'it\'s $HOME `x` "y"'})
    script = '. "$1" && printf %s "$BOTCORE_BOT_TOKEN"'
    shell = ["sh", "-c", script, "sh", str(here.environment_file)]
    assert subprocess.check_output(shell, text=True) == 'it\'s $HOME `x` "y"'


def test_without_an_environment_there_is_nothing_to_keep(here: Directory) -> None:
    assert here.read_environment() == {}


def test_an_old_draft_does_not_lend_its_mode(here: Directory) -> None:
    (here.path / "dev.env.new").write_text("left by a crash")
    here.write_environment({"A": "b"})
    assert mode(here.environment_file) == 0o600


def test_secret_key_is_made_once(here: Directory) -> None:
    key = here.secret_key()
    assert len(key) >= 32
    assert here.secret_key() == key
    assert mode(here.path / "secret_key") == 0o600


def test_a_large_log_is_put_aside(here: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "ROTATE_ABOVE_BYTES", 10)
    path = here.log("serve")
    path.write_text("0123456789")
    assert here.log("serve").exists()
    path.write_text("0123456789+")
    assert not here.log("serve").exists()
    assert (here.logs / "serve.log.1").read_text() == "0123456789+"


async def test_one_supervisor_at_a_time(here: Directory) -> None:
    descriptor = await here.lock()
    with pytest.raises(LocalError, match=f"already running in .*state .process {os.getpid()}"):
        await here.lock()
    os.close(descriptor)
    os.close(await here.lock())


async def test_the_lock_of_a_dead_supervisor_is_waited_for(here: Directory) -> None:
    descriptor = await here.lock()
    gone = await asyncio.create_subprocess_exec("true")
    await gone.wait()
    (here.path / "lock").write_text(str(gone.pid))  # as if its guardian had the lock now
    waiting = asyncio.create_task(here.lock())
    done, _ = await asyncio.wait({waiting}, timeout=0.2)
    assert not done
    os.close(descriptor)
    os.close(await waiting)
