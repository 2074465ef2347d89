import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGKILL, SIGTERM, SIGUSR1, Signals
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from impl.local.directory import Directory
from tests.integration.local import stand_in
from tests.integration.local.processes import group_members
from tests.patience import PATIENT_SECONDS
from tests.ports import spare_port


class Up:
    """One `botcore up` in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.told = ""

    async def ready(self) -> "Up":
        await self._read_until("Stop:", 2 * PATIENT_SECONDS)
        return self

    async def ends(self) -> int:
        await self._read_until(None, PATIENT_SECONDS)
        return await asyncio.wait_for(self.process.wait(), PATIENT_SECONDS)

    def group(self) -> int:
        """Of everything that it started: its guardian's pid, its first child."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return os.getpgid(int(children.split()[0]))

    async def _read_until(self, text: str | None, seconds: float) -> None:
        assert self.process.stdout
        async with asyncio.timeout(seconds):
            while line := await self.process.stdout.readline():
                self.told += line.decode()
                if text and text in self.told:
                    return
        assert text is None, self.told


Start = Callable[..., Awaitable[Up]]


@pytest_asyncio.fixture
async def start(
    tmp_path: Path, postgres: str, valkey: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Start]:
    started: list[Up] = []
    given = {"BOTCORE_DATABASE_URL": postgres, "BOTCORE_REDIS_URL": valkey}

    async def begin(*choices: str, port: int = 0, embedded: bool = False, **more: str) -> Up:
        environment = {**os.environ, **({} if embedded else given), **more}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, stand_in.__file__, str(tmp_path / "state"), str(port), *choices),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        started.append(Up(process))
        return started[-1]

    yield begin
    for each in started:
        if each.process.returncode is None:
            each.process.kill()
            await each.process.wait()
    directory = tmp_path / "state"
    monkeypatch.setattr("impl.local.directory.LOCK_SECONDS", PATIENT_SECONDS)
    if directory.exists():  # the guardians have done their work when the lock is free
        os.close(await Directory(directory).lock())


@pytest.fixture
def state(tmp_path: Path) -> Directory:
    return Directory(tmp_path / "state")


async def test_when_all_are_ready_the_secrets_are_written_for_us_alone(
    start: Start, state: Directory
) -> None:
    up = await (await start()).ready()
    assert state.environment_file.stat().st_mode & 0o777 == 0o600
    values = state.read_environment()
    assert values.pop("BOTCORE_URL").startswith("http://127.0.0.1:")
    assert values == {
        "BOTCORE_BOT_TOKEN": "first-token",
        "BOTCORE_REGISTRY_KEY": "registry-key",
        "BOTCORE_ADMIN_KEY": "admin-key",
    }
    assert f". {state.environment_file} && curl" in up.told


async def test_servers_of_ones_own_are_named_without_their_passwords(
    start: Start, postgres: str, valkey: str
) -> None:
    up = await (await start()).ready()
    for url in (postgres, valkey):
        parts = urlsplit(url)
        assert f":***@127.0.0.1:{parts.port}" in up.told
        assert str(parts.password) not in up.told


@pytest.mark.parametrize("name", ["BOTCORE_DATABASE_URL", "BOTCORE_REDIS_URL"])
async def test_a_server_of_ones_own_that_is_not_there_ends_the_start(
    start: Start, name: str
) -> None:
    url = f"{'redis' if 'REDIS' in name else 'postgresql'}://me:hidden@127.0.0.1:{spare_port()}/0"
    up = await start(**{name: url})
    assert await up.ends() == 1
    assert f"✗ {name} {url.replace('hidden', '***')} does not answer (" in up.told
    assert f"✓ {name}" not in up.told
    assert "hidden" not in up.told
    assert "Traceback" not in up.told


def environment_of(pid: str) -> str:
    return Path(f"/proc/{pid}/environ").read_text()


async def test_services_get_what_they_need_and_log_to_files(start: Start, state: Directory) -> None:
    await (await start()).ready()
    for name in ("serve", "worker", "text_reply", "calculator"):
        told, pid, key = (state.logs / f"{name}.log").read_text().split()
        assert (told, key) == (name, "registry-key")
        environment = environment_of(pid)
        # A plugin that is fooled has nothing of the core's to give away.
        for secret in (state.read_database_url(), state.read_redis_url(), state.secret_key()):
            assert str(secret)
            assert (str(secret) in environment) == (name in {"serve", "worker"})


async def test_without_the_examples_it_says_so_and_goes_on(start: Start) -> None:
    up = await (await start("calculator=is_missing")).ready()
    (line,) = [line for line in up.told.splitlines() if "calculator" in line]
    assert line.startswith("· calculator is not started: ")
    assert line.endswith("examples is not there (this botcore is a copy; "
                         "in a clone `make kit` mends it)")  # fmt: skip
    assert "2 km in m" not in up.told


@pytest.mark.parametrize("which", [SIGINT, SIGTERM, SIGHUP])
async def test_a_signal_stops_everything(start: Start, which: Signals) -> None:
    up = await (await start()).ready()
    group = up.group()
    up.process.send_signal(which)
    assert await up.ends() == 0
    assert not group_members(group)


async def test_a_deaf_service_does_not_hold_up_the_end(start: Start) -> None:
    up = await (await start("worker=is_deaf")).ready()
    group = up.group()
    up.process.send_signal(SIGTERM)
    assert await up.ends() == 0
    assert not group_members(group)


async def test_a_second_interrupt_kills_at_once(start: Start) -> None:
    up = await (await start("worker=is_deaf_for_long")).ready()
    group = up.group()
    up.process.send_signal(SIGINT)
    await up._read_until("once more to kill", PATIENT_SECONDS)
    up.process.send_signal(SIGINT)
    await up.ends()
    assert not group_members(group)


async def test_a_signal_during_the_start_stops_it(start: Start) -> None:
    up = await start("worker=is_not_ready_yet")
    await up._read_until("text_reply ready", PATIENT_SECONDS)
    group = up.group()
    up.process.send_signal(SIGTERM)
    assert await up.ends() == 0
    assert not group_members(group)


async def test_a_service_that_dies_stops_all_and_its_log_is_shown(
    start: Start, state: Directory
) -> None:
    up = await (await start("text_reply=dies_when_told")).ready()
    _, pid, _ = (state.logs / "text_reply.log").read_text().split()
    os.kill(int(pid), SIGUSR1)
    assert await up.ends() == 1
    assert "text_reply stopped with code 7" in up.told
    assert up.told.endswith("no more\n")


@pytest.mark.parametrize("name", ["migrate", "serve"])
async def test_what_dies_before_it_is_ready_shows_the_last_20_lines(
    start: Start, state: Directory, name: str
) -> None:
    up = await start(f"{name}=dies_first")
    assert await up.ends() == 1
    assert f"{name} stopped with code 3" in up.told
    assert "line 10\n" in up.told
    assert "line 9\n" not in up.told
    assert not state.environment_file.exists()


async def test_what_is_not_ready_in_time_is_named(start: Start) -> None:
    up = await start("worker=is_never_ready")
    assert await up.ends() == 1
    assert up.told.endswith("not ready after 10 s: worker\n")


async def test_a_second_one_in_the_same_folder_is_refused(start: Start) -> None:
    first = await (await start()).ready()
    second = await start()
    assert await second.ends() == 1
    assert f"already running in {second_folder(first)}" in second.told
    assert f"process {first.process.pid}" in second.told
    assert first.process.returncode is None


def second_folder(first: Up) -> str:
    return first.told.partition("Logs:")[2].split("\n")[0].strip().removesuffix("/logs")


async def test_a_taken_port_is_named_before_anything_starts(start: Start, state: Directory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = await start(port=port)
        assert await up.ends() == 1
    assert f"port {port} is in use" in up.told
    assert "PORT=" in up.told
    assert not (state.path / "postgres").exists()


async def test_a_lost_guardian_stops_all(start: Start) -> None:
    up = await (await start()).ready()
    group = up.group()
    os.kill(group, SIGKILL)
    assert await up.ends() == 1
    assert "guardian" in up.told
    assert not group_members(group)


async def test_with_servers_of_its_own_it_comes_back_after_kill_9(
    start: Start, state: Directory
) -> None:
    first = await (await start(embedded=True)).ready()
    password = (state.path / "postgres.password").read_text()
    group = first.group()
    first.process.kill()
    second = await (await start(embedded=True)).ready()  # at once
    assert not group_members(group)
    assert (state.path / "postgres.password").read_text() == password
    assert state.read_environment()["BOTCORE_BOT_TOKEN"] == "first-token"
    group = second.group()
    second.process.send_signal(SIGTERM)
    assert await second.ends() == 0
    assert not group_members(group)


async def test_a_database_that_dies_stops_all(start: Start, state: Directory) -> None:
    up = await (await start(embedded=True)).ready()
    pid = int((state.path / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, SIGKILL)
    assert await up.ends() == 1
    assert "postgres was ended by SIGKILL" in up.told
