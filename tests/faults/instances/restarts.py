"""Row: rolling restarts under load. Each instance says that it is not ready before it closes its
door, and what fails on the way is answered when it is sent again."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from signal import SIGTERM

import aiohttp

from tests.faults.balancer import YES, Instance
from tests.faults.bot import Bot
from tests.faults.groups import Run
from tests.faults.instances.stage import LEASE, LIMIT_SECONDS, Stage, stage
from tests.faults.load import under_load
from tests.faults.results import Row
from tests.faults.world import World

UNREADY_SECONDS, DRAIN_SECONDS = 0.5, 1.0
# Uvicorn looks for its end every tenth of a second, and closes its resources.
GONE_SECONDS = UNREADY_SECONDS + DRAIN_SECONDS + 5
# What is cut off before it can be given back waits for the end of its lease.
PATIENCE_SECONDS = LIMIT_SECONDS + 5
LONGEST_WORK = 0.2
SETTINGS = {**LEASE, "unready_seconds": f"{UNREADY_SECONDS:g}",
            "drain_seconds": f"{DRAIN_SECONDS:g}"}  # fmt: skip
# Uvicorn ends by the signal that asked it to, once all is done.
ENDS = (0, -SIGTERM)
NO = "503"
SILENT = "silent"


async def run(run: Run, row: Row) -> None:
    async with (
        stage(run, 2, LONGEST_WORK, **SETTINGS) as built,
        _new_connections(built.made.bot) as other,
    ):
        load = built.load(PATIENCE_SECONDS, bots=[built.made.bot, other])
        async with under_load(load):
            for number in range(1, run.scale.restarts + 1):
                row.faults += await _restart(built)
                row.rounds = number
                run.progress(f"rolling restart: {number}/{run.scale.restarts}")
        await World.until(built.made.all_ended, PATIENCE_SECONDS, "every call ended")
        found = await built.made.check(built.worker.ledgers)
    row.faults += load.faults()
    if built.balancer.turned_away:
        row.faults.append(f"{built.balancer.turned_away} connections found no instance")
    row.take(found, built.made.bot.log)
    load.require_rate()
    row.notes.append(
        f"{load.begun} messages at {load.rate:g} a second, every other one on a connection of its"
        f" own; {len(load.repeated)} asked for again; answers {dict(built.made.bot.log.told)}"
    )


@asynccontextmanager
async def _new_connections(bot: Bot) -> AsyncIterator[Bot]:
    """The same bot, but with a connection for each request."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield replace(bot, session=session)


async def _restart(built: Stage) -> list[str]:
    """A new one first, then the oldest goes."""
    old = built.cores[0]
    await built.start()
    instance = built.balancer.instance(old.url)
    told = time.monotonic()
    old.child.signal(SIGTERM)
    gone = await World.until(lambda: _gone(instance), GONE_SECONDS)
    await old.stop()
    built.cores.remove(old)
    await built.balancer.remove(old.url)
    found = [] if gone else [f"an instance serves {GONE_SECONDS:g} s after SIGTERM"]
    if old.child.exit_code not in ENDS:
        found.append(f"an instance ended with {old.child.exit_code}")
    return found + judge([what for at, what in instance.said if at > told])


async def _gone(instance: Instance) -> bool:
    return instance.last not in (YES, NO, SILENT)


def judge(said: list[str]) -> list[str]:
    """`said`: by /readyz since SIGTERM, each change of it."""
    heard = [what for what in said if what != SILENT]
    if heard[:1] == [NO] and YES not in heard:
        return []
    return [f"after SIGTERM /readyz said {' then '.join(said) or 'nothing new'}, not {NO} first"]
