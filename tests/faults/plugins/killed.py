"""Row: kill -9 of the instance that holds a hundred calls; each is finished, and done once."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

from tests.faults.bot import Reply, new_key
from tests.faults.checker import Ledgers
from tests.faults.errors import CannotRunError
from tests.faults.groups import Run
from tests.faults.log import Key
from tests.faults.processes import Process
from tests.faults.raw import RawPlugin, Worker, raw_plugin
from tests.faults.results import Row
from tests.faults.scale import Scale
from tests.faults.world import World, world
from tests.stack import regex_intent

CALLS, PLUGINS = 100, 4
DEADLINE_SECONDS, LEASE_SECONDS = 12.0, 22.0
# From the end of the last lease until all are done: the poll, and a worker that takes 8 of a plugin
# at once.
AFTER_LEASE_SECONDS = 10.0
SETTINGS = {
    "call_deadline_seconds": f"{DEADLINE_SECONDS:g}",
    "call_lease_seconds": f"{LEASE_SECONDS:g}",
}


async def run(run: Run, row: Row) -> None:
    ledgers, times = Ledgers(), []
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(world(run.servers, **SETTINGS))
        workers = [Worker(ledgers=ledgers) for _ in range(PLUGINS)]
        plugins = [await stack.enter_async_context(raw_plugin(each.behave)) for each in workers]
        other = await made.serve()
        await made.worker()
        users = await made.users(other, PLUGINS)
        await _register(made, other, plugins)
        for number in range(1, run.scale.kills + 1):
            killed = Kill(made, other, workers, plugins, users, number, run.scale)
            row.faults += await killed.run()
            row.rounds = number
            times.append(killed.seconds)
            run.progress(f"kill -9: {number}/{run.scale.kills}, all done after {times[-1]:.1f} s")
        found = await made.check(ledgers)
    row.take(found, made.bot.log)
    again = sum(times > 1 for worker in workers for times in worker.deliveries.values())
    row.notes.append(
        f"{CALLS} calls at {PLUGINS} plugins; lease {LEASE_SECONDS:g} s; all were done"
        f" {max(times):.1f} s after the kill at most; {again} were delivered again"
    )


async def _register(made: World, core: Process, plugins: list[RawPlugin]) -> None:
    for at, plugin in enumerate(plugins):
        await made.register(core, plugin.url, f"holds_{at}", regex_intent("hold", f"^hold {at} "))
    await made.register(core, plugins[0].url, "text_reply")


@dataclass
class Kill:
    made: World
    other: Process
    workers: list[Worker]
    plugins: list[RawPlugin]
    users: list[str]
    number: int
    scale: Scale
    seconds: float = 0.0

    async def run(self) -> list[str]:
        """Fill an instance with calls, kill it, and see what becomes of each."""
        doomed = await self.made.serve()
        keys = [new_key(f"kill-{self.number}-{at}") for at in range(CALLS)]
        before = sum(worker.deliveries.total() for worker in self.workers)
        for worker in self.workers:
            worker.holding = True
        waiting = [asyncio.create_task(self._say(doomed, at, key)) for at, key in enumerate(keys)]
        held = await World.until(
            lambda: self._holds(before + CALLS), DEADLINE_SECONDS - 1
        )  # fmt: skip
        await doomed.kill()
        killed_at = time.monotonic()
        for worker in self.workers:
            worker.holding = False
        replies = await asyncio.gather(*waiting)
        if not held:
            raise CannotRunError(f"the instance did not hold {CALLS} calls before their deadline")
        return [*_told(replies), *await self._ends(keys, killed_at)]

    async def _holds(self, number: int) -> bool:
        return sum(worker.deliveries.total() for worker in self.workers) >= number

    async def _ends(self, keys: list[Key], killed_at: float) -> list[str]:
        limit = LEASE_SECONDS + AFTER_LEASE_SECONDS * self.scale.patience
        done = await World.until(self.made.all_ended, limit)
        self.seconds = time.monotonic() - killed_at
        found = [] if done else [f"{await self.made.open_calls()} calls are open after {limit:g} s"]
        for _ in range(2):  # equal in every byte, says the checker
            replies = await asyncio.gather(*(self._settled(at, key) for at, key in enumerate(keys)))
            found += [f"{key.message_id} is {reply.status} {reply.code}"
                      for key, reply in zip(keys, replies, strict=True)
                      if reply.said.get("status") != "accepted"]  # fmt: skip
        return found

    async def _say(self, core: Process, at: int, key: Key) -> Reply:
        return await self.made.bot.say(core.url, key, *self._message(at, key))

    async def _settled(self, at: int, key: Key) -> Reply:
        return await self.made.bot.settled(self.other.url, key, *self._message(at, key), 60.0)

    def _message(self, at: int, key: Key) -> tuple[str, str]:
        return self.users[at % PLUGINS], f"hold {at % PLUGINS} {key.message_id}"


def _told(replies: list[Reply]) -> list[str]:
    """Nobody can have been told anything by an instance that was killed."""
    told = [reply for reply in replies if reply.status]
    return [f"{len(told)} bots were answered, {told[0].status} first"] if told else []
