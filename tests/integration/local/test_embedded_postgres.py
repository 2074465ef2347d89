import asyncio
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL
from urllib.parse import urlsplit

import asyncpg
import pytest

from impl.local import unprivileged
from impl.local.child import LocalError
from impl.local.postgres import LONGEST_PATH, EmbeddedPostgres
from impl.local.unprivileged import Identity
from tests.integration.local.processes import alive, command_line
from tests.ports import spare_port

NOBODY = 65534


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder that is open to its owner only, as `mktemp -d` makes it."""
    with tempfile.TemporaryDirectory(prefix="botcore-") as folder:
        assert Path(folder).stat().st_mode & 0o777 == 0o700
        yield Path(folder)


@pytest.fixture
def data_dir(closed_folder: Path) -> Path:
    return closed_folder / "postgres"


def owner_of(path: Path) -> int:
    return path.stat().st_uid


def put(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


async def fetch(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def allowed_identities() -> list[Identity]:
    if os.geteuid() != 0:
        return [Identity((), os.geteuid())]
    both = (unprivileged.user_namespace(), unprivileged.nobody())
    return [
        each for each in both if subprocess.run((*each.prefix, "true"), check=False).returncode == 0
    ]


async def test_data_survive_a_restart(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        await fetch(server.dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    async with EmbeddedPostgres(data_dir) as server:
        assert await fetch(server.dsn, "SELECT answer FROM kept") == 42


async def test_a_given_port_is_the_same_at_each_start(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, port=spare_port())
    first = await server.start()
    await server.stop()
    async with server:
        assert server.dsn == first


async def test_it_is_18_in_utf8_with_the_default_durability(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        assert int(str(await fetch(server.dsn, "SHOW server_version_num"))) // 10000 == 18
        assert await fetch(server.dsn, "SHOW server_encoding") == "UTF8"
        assert await fetch(server.dsn, "SELECT upper('привет')") == "ПРИВЕТ"
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await fetch(server.dsn, f"SHOW {setting}") == "on"


async def test_it_listens_on_the_loopback_only(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        assert await fetch(server.dsn, "SHOW listen_addresses") == "127.0.0.1"
        assert await fetch(server.dsn, "SHOW unix_socket_directories") == ""


async def test_the_password_is_required_and_kept_from_others(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        password = urlsplit(server.dsn).password
        assert password
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.dsn.replace(password, "wrong"))
        assert password not in command_line(server.child.pid)
        assert server.password_file.stat().st_mode & 0o777 == 0o600


async def test_committed_data_survive_kill_9(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    await server.start()
    await fetch(server.dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(server.child.pid, SIGKILL)
    async with EmbeddedPostgres(data_dir) as again:  # at once: its children may still be there
        assert await fetch(again.dsn, "SELECT answer FROM kept") == 42
    await server.stop()


async def test_a_lock_file_whose_pid_is_now_someone_elses_is_seen_through(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    await server.start()
    lock = (data_dir / "postmaster.pid").read_text().splitlines()
    os.kill(server.child.pid, SIGKILL)
    await server.stop()
    stranger = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        (data_dir / "postmaster.pid").write_text("\n".join([str(stranger.pid), *lock[1:], ""]))
        async with EmbeddedPostgres(data_dir) as again:
            assert await fetch(again.dsn, "SELECT 1") == 1
    finally:
        stranger.kill()
        await stranger.wait()


async def test_a_half_made_cluster_is_made_anew(data_dir: Path) -> None:
    draft = data_dir.with_name("postgres.new")
    put(draft / "PG_VERSION", "18\n")
    async with EmbeddedPostgres(data_dir) as server:
        assert await fetch(server.dsn, "SELECT current_database()") == "botcore"
    assert not draft.exists()


async def test_a_lost_password_is_replaced(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        server.password_file.unlink()
    async with EmbeddedPostgres(data_dir) as again:
        assert await fetch(again.dsn, "SELECT 1") == 1


async def test_the_cluster_of_another_version_is_left_alone(data_dir: Path) -> None:
    put(data_dir / "PG_VERSION", "17\n")
    with pytest.raises(LocalError, match=r"made by PostgreSQL 17.*pg_dump"):
        await EmbeddedPostgres(data_dir).start()
    assert (data_dir / "PG_VERSION").exists()


async def test_a_folder_of_other_things_is_left_alone(data_dir: Path) -> None:
    put(data_dir / "thesis.txt", "precious")
    with pytest.raises(LocalError, match="is not empty"):
        await EmbeddedPostgres(data_dir).start()
    assert (data_dir / "thesis.txt").read_text() == "precious"


async def test_a_failed_start_tells_what_the_log_says(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir):
        pass
    broken = EmbeddedPostgres(data_dir, settings={"shared_buffers": "nonsense"})
    with pytest.raises(LocalError, match='invalid value for parameter "shared_buffers"'):
        await broken.start()
    assert not alive(broken.child.pid)


async def test_two_servers_do_not_share_a_cluster(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("impl.local.postgres.LEFTOVER_SECONDS", 0.1)
    async with EmbeddedPostgres(data_dir) as first:
        with pytest.raises(LocalError, match=f"process {first.child.pid}"):
            await EmbeddedPostgres(data_dir).start()
        assert await fetch(first.dsn, "SELECT 1") == 1


def of_length(folder: Path, length: int) -> Path:
    while len(str(folder)) + 202 < length:
        folder /= "d" * 200
    return folder / ("e" * (length - len(str(folder)) - 1))


async def test_the_longest_path_works_and_a_longer_one_is_told(closed_folder: Path) -> None:
    longest = of_length(closed_folder, LONGEST_PATH)
    async with EmbeddedPostgres(longest) as server:
        assert await fetch(server.dsn, "SELECT 1") == 1
    with pytest.raises(LocalError, match=f"has {LONGEST_PATH + 1} bytes.*shorter path"):
        await EmbeddedPostgres(longest.with_name(f"{longest.name}f")).start()


@pytest.mark.parametrize("identity", allowed_identities(), ids=lambda each: str(each.prefix[:1]))
async def test_each_way_not_to_be_root_works_on_the_same_data(
    data_dir: Path, identity: Identity
) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        await fetch(server.dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    async with EmbeddedPostgres(data_dir, identity=identity) as server:
        assert await fetch(server.dsn, "SELECT answer FROM kept") == 42
    async with EmbeddedPostgres(data_dir) as server:
        assert await fetch(server.dsn, "SELECT answer FROM kept") == 42


async def test_where_user_namespaces_are_refused_root_becomes_nobody(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = tmp_path / "unshare"
    refusing.write_text("#!/bin/sh\necho unshare failed: Operation not permitted >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    async with EmbeddedPostgres(data_dir) as server:
        assert await fetch(server.dsn, "SELECT 1") == 1
        expected = unprivileged.nobody().owner if os.geteuid() == 0 else os.geteuid()
        assert owner_of(data_dir) == expected


async def test_where_root_can_become_nobody_else_the_way_out_is_told(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match="BOTCORE_DATABASE_URL"):
        await EmbeddedPostgres(data_dir).start()


@pytest.fixture
def nameless_uid(monkeypatch: pytest.MonkeyPatch) -> int:
    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    return 4242


async def test_a_uid_without_a_name_takes_the_way_of_root(
    data_dir: Path, nameless_uid: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: nameless_uid)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match=f"a user with a name, and {nameless_uid} has none"):
        await EmbeddedPostgres(data_dir).start()


AS_ORDINARY_USER = """
import asyncio, os, sys
from pathlib import Path
import asyncpg
from impl.local.postgres import EmbeddedPostgres

async def main():
    assert os.geteuid() != 0
    async with EmbeddedPostgres(Path(sys.argv[1]) / "postgres") as server:
        connection = await asyncpg.connect(server.dsn)
        print(await connection.fetchval("SELECT current_database()"))
        await connection.close()

asyncio.run(main())
"""


def test_an_ordinary_user_needs_nothing_special() -> None:
    folder = Path(tempfile.mkdtemp(prefix="botcore-"))
    drop: tuple[str, ...] = ()
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
        # The right to pass closed folders: the virtual environment may be below one of root's.
        pass_folders = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
        drop = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        drop = (*drop, *pass_folders)
    try:
        script = (sys.executable, "-c", AS_ORDINARY_USER, folder)
        done = subprocess.run(
            (*drop, *script), capture_output=True, text=True, timeout=300, check=False
        )
        assert done.stdout == "botcore\n", done.stderr
        assert (folder / "postgres").stat().st_uid == (os.geteuid() or NOBODY)
    finally:
        shutil.rmtree(folder)
