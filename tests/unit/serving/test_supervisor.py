"""What becomes of processes that do not serve, with stand-ins for them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from impl.local.guardian import Guardian
from impl.serving import supervisor, worker
from impl.serving.supervisor import Supervisor
from tests.patience import PATIENT_SECONDS

# Each is given its number, its pulse, and a folder in which it notes that it lived.
BEGIN = """
import os, pathlib, sys, time
number, pulse, folder = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
lives = len(list(folder.glob(f"life_{number}_*")))
(folder / f"life_{number}_{lives}").touch()
def beat(): os.write(pulse, b".")
def serve():
    while True: beat(); time.sleep(0.01)
"""
NEVER_READY = "sys.exit(3)"
SERVES = "serve()"
STUCK_AT_FIRST = "beat(); time.sleep(60) if lives == 0 else serve()"
OBEYS_NOBODY = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); serve()"
FIRST_SERVES_ALONE = "serve() if number == 0 else sys.exit(3)"


@pytest_asyncio.fixture
async def guardian() -> AsyncIterator[Guardian]:
    async with Guardian() as running:
        yield running


class Supervised:
    def __init__(self, folder: Path, guardian: Guardian, patch: pytest.MonkeyPatch) -> None:
        self.folder, self._guardian, self._patch = folder, guardian, patch
        patch.setattr(worker, "TICK_SECONDS", 0.05)
        patch.setattr(worker, "SILENT_TICKS", 6)
        patch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.01)

    async def run(self, script: str, ending_seconds: float = 30) -> int:
        def command(number: int, pulse: int) -> list[str]:
            words = (str(number), str(pulse), str(self.folder))
            return [sys.executable, "-I", "-S", "-c", BEGIN + script, *words]

        self._patch.setattr(worker, "command", command)
        running = Supervisor(2, os.environ, self.folder, self._guardian, ending_seconds)
        return await running.run()

    async def lives(self, number: int, least: int) -> None:
        while len(list(self.folder.glob(f"life_{number}_*"))) < least:  # noqa: ASYNC110  # a file
            await asyncio.sleep(0.01)


@pytest.fixture
def supervised(tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch) -> Supervised:
    return Supervised(tmp_path, guardian, monkeypatch)


async def test_where_none_can_start_the_instance_ends_with_its_code(supervised: Supervised) -> None:
    assert await supervised.run(NEVER_READY) == 3


async def test_where_one_cannot_start_the_others_end_too(supervised: Supervised) -> None:
    """An instance that was asked for so many does not pretend."""
    assert await supervised.run(FIRST_SERVES_ALONE) == 3


async def test_one_that_is_stuck_is_killed_and_started_again(
    supervised: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced = asyncio.Event()
    monkeypatch.setattr(supervisor, "announce_ready", announced.set)
    with capture_logs() as logs:
        running = asyncio.create_task(supervised.run(STUCK_AT_FIRST))
        async with asyncio.timeout(PATIENT_SECONDS):
            await announced.wait()
            for number in (0, 1):
                await supervised.lives(number, 2)
        os.kill(os.getpid(), SIGTERM)
        assert await running == 0
    said = [line["event"] for line in logs]
    assert said.count("process_silent") == 2
    codes = [line["exit_code"] for line in logs if line["event"] == "process_died"]
    assert codes == [-SIGKILL, -SIGKILL]


async def test_one_that_cannot_be_started_again_is_tried_again(
    supervised: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where there is no memory for it: the others serve on meanwhile."""
    announced = asyncio.Event()
    monkeypatch.setattr(supervisor, "announce_ready", announced.set)
    start, refused = worker.start, [True]

    async def refusing(number: int, *given: Any) -> Any:
        if announced.is_set() and refused:
            refused.pop()
            raise OSError("Cannot allocate memory")
        return await start(number, *given)

    monkeypatch.setattr(supervisor, "start", refusing)
    with capture_logs() as logs:
        running = asyncio.create_task(supervised.run(STUCK_AT_FIRST))
        async with asyncio.timeout(PATIENT_SECONDS):
            await announced.wait()
            for number in (0, 1):
                await supervised.lives(number, 2)
        os.kill(os.getpid(), SIGTERM)
        assert await running == 0
    assert [line["event"] for line in logs].count("process_not_started") == 1


async def test_one_that_does_not_stop_in_time_is_killed(
    supervised: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced = asyncio.Event()
    monkeypatch.setattr(supervisor, "announce_ready", announced.set)
    running = asyncio.create_task(supervised.run(OBEYS_NOBODY, ending_seconds=0.1))
    await announced.wait()
    os.kill(os.getpid(), SIGTERM)
    assert await running == 1


async def test_without_its_guardian_it_ends(supervised: Supervised, guardian: Guardian) -> None:
    """Nobody would end the processes after it."""
    running = asyncio.create_task(supervised.run(SERVES))
    await supervised.lives(1, 1)
    guardian.process.kill()
    assert await running == 1
