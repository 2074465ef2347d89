"""Row: an instance and a worker whose clock is an hour wrong, beside good ones: no plugin is taken
for silent, and no call away from whoever has its lease."""

import asyncio
import contextlib
import importlib.util
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp

from tests.faults.errors import CannotRunError
from tests.faults.groups import Run
from tests.faults.instances.stage import LATER, QUEUED, Stage, stage
from tests.faults.load import Load, under_load
from tests.faults.results import Row
from tests.ports import spare_port

HOUR = 3600.0
EXACT_SECONDS = 60.0
LIBRARY = "vendor/libfaketime/src/libfaketime.so.1"
# Long enough that each worker looks for lost calls many times while one is made.
LONGEST_WORK = 1.0
# Far more than a busy machine is late, and far less than the clock is wrong.
BEAT_SECONDS, MISSED_SECONDS = 0.5, 600.0
NORMAL_SECONDS = 10.0
SETTINGS = {"heartbeat_missed_seconds": f"{MISSED_SECONDS:g}"}
FALSE_ALARMS = """
SELECT action, count(*) FROM audit_logs
WHERE action IN ('plugin_heartbeat_missed', 'plugin_recovered', 'core_degraded', 'core_recovered')
GROUP BY 1
"""


async def run(run: Run, row: Row) -> None:
    library = _library()
    loads: list[Load] = []
    async with stage(run, 1, LONGEST_WORK, **SETTINGS) as built:
        for wrong in (HOUR, -HOUR):
            async with _wrong_clock(built, library, wrong), _beating(built, row):
                row.faults += await _meanwhile(built, loads)
            row.rounds += 1
            run.progress(f"a clock that is {wrong:+.0f} s wrong: done")
            row.faults += await _judge(built)
            if row.faults:
                break
        found = await built.made.check(built.worker.ledgers)
    row.take(found, built.made.bot.log)
    row.notes.append(
        f"{len(built.worker.deliveries)} calls, {sum(built.worker.deliveries.values())} deliveries;"
        f" {sum(load.begun for load in loads if load.headers)} messages were to be answered later"
    )
    for load in loads:
        load.require_rate()
    row.faults += [fault for load in loads for fault in load.faults()]


@asynccontextmanager
async def _wrong_clock(built: Stage, library: Path, wrong: float) -> AsyncIterator[None]:
    """Meanwhile there are an instance and a worker with a clock that is so wrong."""
    env = {"LD_PRELOAD": str(library), "FAKETIME": f"{wrong:+.0f}s",
           "FAKETIME_DONT_FAKE_MONOTONIC": "1"}  # fmt: skip
    port = spare_port()
    worker, core = await asyncio.gather(
        built.made.worker(env, metrics_port=str(port)), built.start(env)
    )
    for url in (f"{core.url}/readyz", f"http://127.0.0.1:{port}/metrics"):
        await _require_clock(built.made.bot.session, url, wrong)
    yield
    await built.balancer.remove(core.url)
    built.cores.remove(core)
    await core.stop()
    await worker.stop()


async def _meanwhile(built: Stage, loads: list[Load]) -> list[str]:
    """Both loads end before anything stops: what stops gives its calls to others."""
    rate, number = built.run.scale.rate, len(loads)
    plain = built.load(rate=rate / 2, name=f"plain-{number}")
    later = built.load(rate=rate / LATER, name=f"later-{number}", headers=QUEUED)
    loads += [plain, later]
    async with under_load(plain), under_load(later):
        await asyncio.sleep(built.run.scale.clock_seconds)
    found = await built.open_calls()
    # Where Redis was late for once, it says so until it looks again.
    normal = await built.made.until(lambda: _all_normal(built), NORMAL_SECONDS)
    return found if normal else found + await _not_normal(built)


async def _require_clock(session: aiohttp.ClientSession, url: str, wrong: float) -> None:
    """Raises CannotRunError where the process has another clock than it should."""
    async with session.get(url) as response:
        said = parsedate_to_datetime(response.headers["Date"]).timestamp()
    if abs(said - time.time() - wrong) > EXACT_SECONDS:
        raise CannotRunError(f"its clock is {said - time.time():+.0f} s off, not {wrong:+.0f} s")


async def _all_normal(built: Stage) -> bool:
    return not await _not_normal(built)


async def _not_normal(built: Stage) -> list[str]:
    found = []
    for core in built.cores:
        async with built.made.bot.session.get(f"{core.url}/readyz") as response:
            said = await response.json()
        if said.get("mode") != "normal":
            found.append(f"/readyz says {said}")
    return found


async def _judge(built: Stage) -> list[str]:
    """No false alarm, and no call that was made twice: the plugin answers all in time."""
    found = [f"{action} was told {times} times of a plugin that is well"
             for action, times in await built.made.pool.fetch(FALSE_ALARMS)]  # fmt: skip
    again = [times for times in built.worker.deliveries.values() if times > 1]
    if again:
        found.append(f"{len(again)} calls were taken from whoever made them, and made again")
    return found


@asynccontextmanager
async def _beating(built: Stage, row: Row) -> AsyncIterator[None]:
    """The plugin gives a sign of life now and then, to each instance in turn."""
    task = asyncio.create_task(_beat(built, row))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _beat(built: Stage, row: Row) -> None:
    plugin_id = built.registered["plugin_id"]
    headers = {"Authorization": f"Bearer {built.registered['token']}"}
    body = {"plugin_id": plugin_id, "status": "active"}
    url = f"{built.balancer.url}/api/v1/plugins/{plugin_id}/heartbeat"
    while True:
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with built.made.bot.session.post(url, json=body, headers=headers) as answer:
                if answer.status != 200:
                    row.faults.append(f"a heartbeat was answered {answer.status}")
        await asyncio.sleep(BEAT_SECONDS)


def _library() -> Path:
    """libfaketime, as its package brings it. Raises CannotRunError where it does not serve."""
    found = importlib.util.find_spec("libfaketime")
    places = [] if found is None else list(found.submodule_search_locations or [])
    if sys.platform != "linux" or not places:
        raise CannotRunError("libfaketime is not installed")
    path = Path(places[0]) / LIBRARY
    if not path.is_file():
        raise CannotRunError(f"the package libfaketime holds no {path.name}")
    return path
