"""Row: kill -9 of one of two instances again and again, under load: the other and a worker end
what it had begun, and no bot learns more of it than that it had to ask again."""

import asyncio

from tests.faults.errors import CannotRunError
from tests.faults.groups import Run
from tests.faults.instances.stage import (
    LATER,
    LEASE,
    LEASE_SECONDS,
    QUEUED,
    Stage,
    stage,
)
from tests.faults.load import under_load
from tests.faults.results import Row
from tests.faults.world import World

LONGEST_WORK, LONGEST_PAUSE = 0.3, 0.5
SLOW_WORK = 1.5  # of a short form: with few messages and few kills, each is to meet a call
REPLAYED = 200
UNDER_WAY, BEGIN_SECONDS = 5, 60.0
# A lease begins with its call, before the kill: so this asks for a little more than was promised.
ORPHANS = """
SELECT count(*), coalesce(max(extract(epoch FROM finished_at - created_at)), 0)::float8 AS longest
FROM plugin_calls WHERE attempt > 1 AND queued_at IS NULL
"""


async def run(run: Run, row: Row) -> None:
    work = LONGEST_WORK if run.scale.strict else SLOW_WORK
    async with stage(run, 2, work, **LEASE) as built:
        rate = run.scale.rate
        load = built.load()
        later = built.load(rate=rate / LATER, name="later", headers=QUEUED)
        async with under_load(load), under_load(later):
            for number in range(1, run.scale.instance_kills + 1):
                await _kill(built)
                row.rounds = number
                run.progress(f"kill -9 of an instance: {number}/{run.scale.instance_kills}")
                if load.vanished or later.vanished:
                    break
        await _ends(built, row)
        await load.replay(REPLAYED)
        found = await built.made.check(built.worker.ledgers)
    row.take(found, built.made.bot.log)
    row.notes.append(f"{load.summary()}; {later.begun} more to be answered later")
    load.require_rate()
    row.faults += load.faults() + later.faults()


async def _kill(built: Stage) -> None:
    """One of two, at any moment; the next only when there are two again."""
    await World.until(lambda: _are_under_way(built), BEGIN_SECONDS, "calls are under way")
    doomed = built.take()
    await asyncio.sleep(built.run.random.uniform(0, LONGEST_PAUSE))
    await doomed.kill()
    await built.start()
    await built.balancer.remove(doomed.url)


async def _are_under_way(built: Stage) -> bool:
    return built.plugin.busy >= UNDER_WAY


async def _ends(built: Stage, row: Row) -> None:
    row.faults += await built.open_calls()
    orphans, longest = await built.made.pool.fetchrow(ORPHANS)
    if not orphans:
        raise CannotRunError("no kill met a call")
    row.notes.append(
        f"{orphans} calls were orphans, each done {longest:.1f} s or less after it began;"
        f" lease {LEASE_SECONDS:g} s"
    )
    if longest > built.limit:
        row.faults.append(f"an orphan was done after {longest:.1f} s, not {built.limit:g} s")
