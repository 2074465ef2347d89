import asyncio
import fcntl
import os
import sys
from pathlib import Path
from signal import SIGKILL

import pytest

from impl.local.guardian import Guardian
from tests.integration.local.processes import alive, group_members, until
from tests.patience import PATIENT_SECONDS

# A supervisor with children of each kind, and a lock which its guardian keeps.
SUPERVISOR = """
import asyncio, fcntl, os, sys
from pathlib import Path
from impl.local.child import Child
from impl.local.guardian import Guardian

POLITE = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time\\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\\n"
    "signal.signal(signal.SIGINT, signal.SIG_IGN)\\n"
    "print('deaf', flush=True); time.sleep(600)"
)
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"

async def main(folder, *kinds):
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    guardian = Guardian(keep=(lock,))
    group = await guardian.start()
    for kind in kinds:
        script = {"polite": POLITE, "stubborn": STUBBORN, "parent": PARENT}[kind]
        log = folder / f"{kind}.log"
        command = (sys.executable, "-c", script)
        await Child.start(kind, command, log=log, env=os.environ, group=group)
    if "stubborn" in kinds:
        while "deaf" not in (folder / "stubborn.log").read_text():
            await asyncio.sleep(0.01)
    print(group, flush=True)
    await asyncio.sleep(600)

asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
"""


async def killed_supervisor(folder: Path, *kinds: str) -> int:
    """Start it, kill it with -9, and return the group of those that it leaves."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SUPERVISOR, str(folder), *kinds),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout
    try:
        group = int(await asyncio.wait_for(process.stdout.readline(), PATIENT_SECONDS))
        assert len(group_members(group)) > len(kinds)
    finally:
        process.kill()
        await process.wait()
    return group


async def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    group = await killed_supervisor(tmp_path, "polite", "parent")
    await until(lambda: not group_members(group), seconds=PATIENT_SECONDS)


async def test_the_stubborn_are_forced(tmp_path: Path) -> None:
    group = await killed_supervisor(tmp_path, "stubborn", "polite")
    await until(lambda: not group_members(group), seconds=PATIENT_SECONDS)


async def test_what_it_keeps_is_kept_until_the_last_one_is_gone(tmp_path: Path) -> None:
    group = await killed_supervisor(tmp_path, "stubborn")
    with (tmp_path / "lock").open() as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        await asyncio.wait_for(asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX), PATIENT_SECONDS)
    await until(lambda: not group_members(group), seconds=PATIENT_SECONDS)


async def test_signals_of_the_terminal_do_not_end_it() -> None:
    async with Guardian() as guardian:
        await until(lambda: _ignores_signals(guardian.group), seconds=PATIENT_SECONDS)
        for which in (1, 2, 15):
            os.kill(guardian.group, which)
        assert alive(guardian.group)


async def test_closing_it_ends_what_is_left() -> None:
    async with Guardian() as guardian:
        child = await asyncio.create_subprocess_exec("sleep", "600", process_group=guardian.group)
    assert await asyncio.wait_for(child.wait(), PATIENT_SECONDS) != -SIGKILL
    assert not group_members(guardian.group)


def _ignores_signals(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    ignored = next(line for line in status.splitlines() if line.startswith("SigIgn:"))
    return int(ignored.split()[1], 16) & 0b11 == 0b11
