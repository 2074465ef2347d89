"""Row: what a plugin that hangs costs the others. Rounds with and without it, side by side.

In the rounds without it the same messages go to a plugin that answers, so that only its hanging
differs. The medians of the rounds' p99 are compared, for a busy machine slows both kinds alike.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from statistics import median

from tests.faults.bot import new_key
from tests.faults.groups import Run
from tests.faults.log import percentile
from tests.faults.plugins.behaviours import hang
from tests.faults.plugins.misbehaving import _good
from tests.faults.processes import Process
from tests.faults.raw import raw_plugin
from tests.faults.results import Row
from tests.faults.world import World, world
from tests.stack import regex_intent

GOOD_A_SECOND, BESIDE_A_SECOND = 50, 20
# Twice, since a p99 of some 500 requests is decided by five; what hangs in a shared pool costs
# the others its whole deadline, a hundred times that. Below the floor a ratio is noise.
MOST_RATIO, FLOOR_MS = 2.0, 25.0
DEADLINE_SECONDS = 2.0
SETTINGS = {
    "call_deadline_seconds": f"{DEADLINE_SECONDS:g}",
    "call_lease_seconds": f"{DEADLINE_SECONDS + 10:g}",
    "call_attempts": "2",
}


def judge(without: Sequence[float], beside: Sequence[float]) -> list[str]:
    """The p99s of rounds of either kind, in milliseconds."""
    alone, together = median(without), median(beside)
    if together <= max(alone * MOST_RATIO, alone + FLOOR_MS):
        return []
    return [f"the others' p99 is {together:.1f} ms beside a plugin that hangs, {alone:.1f} without"]


async def run(run: Run, row: Row) -> None:
    without: list[float] = []
    beside: list[float] = []
    async with (
        world(run.servers, **SETTINGS) as made,
        raw_plugin(_good) as good,
        raw_plugin(hang) as hanging,
    ):
        core = await made.serve()
        await made.worker()
        users = await made.users(core, 4)
        for plugin, name in ((good, "answers"), (good, "beside"), (hanging, "hangs")):
            await made.register(core, plugin.url, name, regex_intent("x", f"^{name}$"))
        await made.register(core, good.url, "text_reply")
        rounds = Rounds(made, core, users, run.scale.round_seconds)
        await rounds.one("beside")  # warms both processes up, and counts for nothing
        for number in range(1, run.scale.pairs + 1):
            # Which comes first changes, so that neither has always the colder half.
            kinds = [("beside", without), ("hangs", beside)]
            for name, times in kinds if number % 2 else reversed(kinds):
                times.append(await rounds.one(name))
            run.progress(f"beside: {number}/{run.scale.pairs} pairs of rounds")
        row.faults += rounds.faults
    row.faults += judge(without, beside)
    log = made.bot.log
    row.rounds, row.p99_ms = len(beside), median(beside)
    row.requests, row.acknowledged = log.requests, len(log.acknowledged)
    row.notes.append(
        f"the others' p99 {median(beside):.1f} ms beside a plugin that hangs, {median(without):.1f}"
        f" ms beside one that answers, ratio {median(beside) / median(without):.2f}; medians of"
        f" {len(beside)} rounds each; {GOOD_A_SECOND} messages/s, {BESIDE_A_SECOND} beside"
    )


class Rounds:
    def __init__(self, made: World, core: Process, users: Sequence[str], seconds: float) -> None:
        self._made, self._core, self._users, self._seconds = made, core, users, seconds
        self._number = 0
        self.faults: list[str] = []

    async def one(self, name: str) -> float:
        """The p99 of the plugin `answers`, while `name` is spoken to as well."""
        self._number += 1
        times: list[float] = []
        beside = asyncio.create_task(self._beside(name))
        try:
            await self._steadily(GOOD_A_SECOND, lambda at: self._good(at, times))
        finally:
            beside.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beside
        return percentile(times, 0.99) or 0.0

    async def _beside(self, name: str) -> None:
        await self._steadily(BESIDE_A_SECOND, lambda at: self._say(name, at))

    async def _steadily(self, a_second: int, send: "object") -> None:
        """Open loop: the next is sent when it is due, whether or not the one before is answered."""
        from collections.abc import Callable, Coroutine
        from typing import Any, cast

        one = cast("Callable[[int], Coroutine[Any, Any, Any]]", send)
        started = time.monotonic()
        tasks: set[asyncio.Task[object]] = set()
        try:
            for at in range(round(a_second * self._seconds)):
                await asyncio.sleep(max(0.0, started + at / a_second - time.monotonic()))
                tasks.add(asyncio.create_task(one(at)))
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _good(self, at: int, times: list[float]) -> None:
        reply = await self._say("answers", at)
        times.append(reply.milliseconds)
        if reply.said.get("status") != "accepted":
            self.faults.append(f"a plugin that answers got {reply.status} {reply.code}")

    async def _say(self, name: str, at: int) -> "Reply":
        key = new_key(f"{name}-{self._number}-{at}")
        user = self._users[at % len(self._users)]
        return await self._made.bot.say(self._core.url, key, user, name)
