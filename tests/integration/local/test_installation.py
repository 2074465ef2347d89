import os
import subprocess
from pathlib import Path

import pytest

from impl.local import installation
from impl.local.child import LocalError
from impl.local.installation import private_copy, program
from impl.local.unprivileged import Identity


@pytest.fixture
def packages() -> Path:
    return program("postgres").parents[3]


def initdb_of(copy: Path) -> Path:
    return copy / program("initdb").relative_to(program("initdb").parents[3])


def test_a_copy_runs_and_only_its_owner_may_write_it(packages: Path, tmp_path: Path) -> None:
    copy = private_copy(packages, tmp_path)
    told = subprocess.check_output((initdb_of(copy), "--version"), text=True)
    assert told.startswith(f"initdb (PostgreSQL) {installation.MAJOR}.")
    for path in (copy, *copy.rglob("*")):
        assert path.lstat().st_uid == os.geteuid()
        assert path.is_symlink() or path.stat().st_mode & 0o755 in (0o755, 0o644), path
        assert path.is_symlink() or not path.stat().st_mode & 0o022, path


def test_a_copy_is_made_once(packages: Path, tmp_path: Path) -> None:
    first = private_copy(packages, tmp_path)
    made = first.stat()
    second = private_copy(packages, tmp_path)
    assert second == first
    assert (second.stat().st_ino, second.stat().st_ctime) == (made.st_ino, made.st_ctime)
    assert list(tmp_path.iterdir()) == [first]  # no draft is left


def test_a_copy_that_lost_a_file_is_made_anew(packages: Path, tmp_path: Path) -> None:
    initdb = initdb_of(private_copy(packages, tmp_path))
    initdb.unlink()
    assert initdb_of(private_copy(packages, tmp_path)) == initdb
    assert initdb.exists()


@pytest.mark.parametrize("how", ["writable", "linked", "a file", "another's"])
def test_what_someone_else_put_there_is_not_used(packages: Path, tmp_path: Path, how: str) -> None:
    expected = private_copy(packages, tmp_path)
    moved = expected.rename(tmp_path / "moved")
    if how == "writable":
        moved.rename(expected).chmod(0o777)
    elif how == "linked":
        expected.symlink_to(moved)
    elif how == "a file":
        expected.touch()
    elif os.geteuid() == 0:
        os.chown(moved.rename(expected), 65534, 65534)
    else:
        pytest.skip("only root can give a folder away")
    before = expected.lstat()
    used = private_copy(packages, tmp_path)
    assert used == expected.with_name(f"{expected.name}-1")
    assert initdb_of(used).exists()
    assert expected.lstat().st_ctime == before.st_ctime  # and is left alone


def test_a_place_that_cannot_be_written_is_told(packages: Path, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"cannot be copied to .*: No such file.*DATABASE_URL"):
        private_copy(packages, tmp_path / "absent")


async def test_a_program_that_access_refuses_is_run_from_a_copy(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bool:
        return False

    us = Identity((), os.geteuid())
    assert await installation.programs_for(us) == program("initdb").parent
    monkeypatch.setattr(installation, "COPIES", tmp_path)
    monkeypatch.setattr(os, "access", refuse)
    copied = await installation.programs_for(us)
    assert copied.is_relative_to(tmp_path)
