"""Row: rolling restarts under load. Each instance says that it is not ready before it closes its
door, and what fails on the way is answered when it is sent again."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from signal import SIGTERM

import aiohttp

from tests.faults.balancer import NO, REFUSED, SILENT, YES, Instance
from tests.faults.bot import Bot
from tests.faults.errors import CannotRunError
from tests.faults.groups import Run
from tests.faults.instances.stage import LEASE, Stage, stage
from tests.faults.load import under_load
from tests.faults.processes import Process
from tests.faults.results import Row
from tests.faults.world import World

# Where the machine may be busy, /readyz is answered late.
UNREADY_SECONDS, LENIENT_SECONDS, DRAIN_SECONDS = 1.0, 4.0, 1.0
# Uvicorn looks for its end every tenth of a second, and closes its resources.
GONE_SECONDS = LENIENT_SECONDS + DRAIN_SECONDS + 10
LONGEST_WORK = 0.2
# Uvicorn looks for its end every tenth of a second.
NOTICED_SECONDS = 0.3
# What /readyz said since SIGTERM, with the seconds from then until it was asked.
Said = list[tuple[float, str]]
# Uvicorn ends by the signal that asked it to, once all is done.
ENDS = (0, -SIGTERM)


async def run(run: Run, row: Row) -> None:
    rounds = []
    unready = UNREADY_SECONDS if run.scale.strict else LENIENT_SECONDS
    settings = {"unready_seconds": f"{unready:g}", "drain_seconds": f"{DRAIN_SECONDS:g}"}
    async with (
        stage(run, 2, LONGEST_WORK, **LEASE, **settings) as built,
        _new_connections(built.made.bot) as other,
    ):
        load = built.load(bots=[built.made.bot, other])
        async with under_load(load):
            for number in range(1, run.scale.restarts + 1):
                rounds.append(await _restart(built, row))
                row.rounds = number
                run.progress(f"rolling restart: {number}/{run.scale.restarts}")
                if row.faults:
                    break
        row.faults += judge(rounds, unready)
        row.faults += await built.open_calls()
        found = await built.made.check(built.worker.ledgers)
    row.take(found, built.made.bot.log)
    row.notes.append(f"{load.summary()}; every other message on a connection of its own")
    load.require_rate()
    row.faults += load.faults()
    if built.balancer.turned_away:
        row.faults.append(f"{built.balancer.turned_away} connections found no instance")


@asynccontextmanager
async def _new_connections(bot: Bot) -> AsyncIterator[Bot]:
    """The same bot, but with a connection for each request."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield replace(bot, session=session)


async def _restart(built: Stage, row: Row) -> Said:
    """A new one first, then the oldest goes. Returns what /readyz said from then on."""
    await built.start()
    old = built.cores.pop(0)
    told = time.monotonic()
    old.child.signal(SIGTERM)
    if not await World.until(lambda: _gone(old), GONE_SECONDS):
        row.faults.append(f"an instance is there {GONE_SECONDS:g} s after SIGTERM")
        await old.kill()
    elif old.child.exit_code not in ENDS:
        row.faults.append(f"an instance ended with {old.child.exit_code}")
    instance = built.balancer.instance(old.url)
    await World.until(lambda: _refuses(instance), GONE_SECONDS)
    said = [(at - told, what) for at, what in instance.said if at > told]
    await built.balancer.remove(old.url)
    return said


async def _gone(core: Process) -> bool:
    return not core.alive


async def _refuses(instance: Instance) -> bool:
    return instance.last == REFUSED


def judge(rounds: list[Said], unready: float) -> list[str]:
    """`unready`: how long /readyz was to say no. Raises CannotRunError where nobody could hear it,
    most of the time."""
    found = [_what_is_wrong(said, unready) for said in rounds]
    wrong = [what for what in found if what]
    if not wrong and found.count(None) > len(rounds) / 2:
        raise CannotRunError("the machine is too busy to ask /readyz in time")
    return wrong


def _what_is_wrong(said: Said, unready: float) -> str | None:
    """Nothing where it said no, and not yes thereafter; None where it was not asked in time."""
    told = [what for _, what in said if what != SILENT]
    if NO in told and YES not in told[told.index(NO) :]:
        return ""
    # Later a question may have been on its way when the door was closed.
    asked = [what for at, what in said if at < unready * 0.6 and what != SILENT
             and (at > NOTICED_SECONDS or what == REFUSED)]  # fmt: skip
    if NO not in told and not asked:
        return None
    return f"after SIGTERM /readyz said {' then '.join(dict.fromkeys(told))}, not {NO} first"
