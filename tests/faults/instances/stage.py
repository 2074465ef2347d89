"""What the rows of this group have in common: instances behind a balancer, a worker, a plugin."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.faults.balancer import Balancer, balancer
from tests.faults.groups import Run
from tests.faults.load import ENOUGH, Load
from tests.faults.processes import START_SECONDS, Process
from tests.faults.raw import RawPlugin, Worker, raw_plugin
from tests.faults.world import World, world

USERS = 8
# Where the machine may be busy: so much of the rate is enough, and so much later is in time.
SOME, GRACE_SECONDS = 0.2, 45.0
LATER = 8  # for so many messages there is one whose answer comes later
QUEUED = {"Prefer": "respond-async"}
# The shortest lease that this deadline permits, and the time to end a call after it.
DEADLINE_SECONDS, LEASE_SECONDS, AFTER_SECONDS = 3.0, 13.0, 10.0
LEASE = {"call_deadline_seconds": f"{DEADLINE_SECONDS:g}",
         "call_lease_seconds": f"{LEASE_SECONDS:g}"}  # fmt: skip


@dataclass
class Stage:
    """`worker` is the plugin's side: what it did, and how often it was asked to; `registered` what
    it was told when it registered."""

    run: Run
    made: World
    balancer: Balancer
    cores: list[Process]
    users: list[str]
    plugin: RawPlugin
    worker: Worker
    registered: dict[str, Any]

    @property
    def limit(self) -> float:
        """Seconds from the beginning of a lost call until another has ended it."""
        grace = 0.0 if self.run.scale.strict else GRACE_SECONDS
        return LEASE_SECONDS + AFTER_SECONDS + grace

    def load(self, **changed: Any) -> Load:
        """At the scale's rate, through the balancer; a bot waits longer than a lost call takes."""
        usual: dict[str, Any] = {
            "bots": [self.made.bot], "urls": [self.balancer.url], "users": self.users,
            "rate": self.run.scale.rate, "random": self.run.random, "patience": self.limit + 5,
            "enough": ENOUGH if self.run.scale.strict else SOME,
        }  # fmt: skip
        return Load(**(usual | changed))

    async def start(self, env: Mapping[str, str] | None = None) -> Process:
        """One more instance, which the balancer knows and finds ready."""
        core = await self.made.serve(env)
        self.cores.append(core)
        self.balancer.add(core.url)
        await self.until_ready()
        return core

    def take(self) -> Process:
        """One of the instances, by chance; it is the caller's now."""
        return self.cores.pop(self.run.random.randrange(len(self.cores)))

    async def open_calls(self) -> list[str]:
        """What is open once every lease is over and a worker had the time for it."""
        if await World.until(self.made.all_ended, self.limit):
            return []
        return [f"{await self.made.open_calls()} calls are open {self.limit:g} s after all"]

    async def until_ready(self) -> None:
        """Until the balancer sends connections to every instance."""
        number = len(self.cores)
        await World.until(
            lambda: self.balancer.has_ready(number), START_SECONDS, f"{number} instances are ready"
        )


@asynccontextmanager
async def stage(run: Run, instances: int, work: float, **settings: str) -> AsyncIterator[Stage]:
    """`work`: the longest time in seconds that the plugin takes for a call."""
    worker = Worker(seconds=lambda: run.random.uniform(0, work))
    async with (
        world(run.servers, **settings) as made,
        raw_plugin(worker.behave) as plugin,
        balancer() as before,
    ):
        *cores, _ = await asyncio.gather(*(made.serve() for _ in range(instances)), made.worker())
        for core in cores:
            before.add(core.url)
        users = await made.users(cores[0], USERS)
        registered = await made.register(cores[0], plugin.url, "text_reply")
        built = Stage(run, made, before, cores, users, plugin, worker, registered)
        await built.until_ready()
        yield built
