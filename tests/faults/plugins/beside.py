"""Rows: what a plugin that does wrong costs the others. Rounds with and without it, side by side.

In the rounds without it the same messages go to a plugin that answers, so that only what it does
differs. Rounds that follow one another are compared, for a busy machine slows both alike; what the
suite overslept and the API waited for a processor, while a message was under way, is taken off.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.faults.bot import Reply, new_key
from tests.faults.checker import Ledgers
from tests.faults.groups import Body, Run
from tests.faults.lag import Lag, measured_lag
from tests.faults.log import Key, percentile
from tests.faults.plugins.behaviours import drip, flood, gzip_bomb, hang, status
from tests.faults.processes import Process
from tests.faults.raw import Behaviour, good, raw_plugin
from tests.faults.results import Row
from tests.faults.world import World, world
from tests.stack import regex_intent

GOOD_A_SECOND, BESIDE_A_SECOND = 50, 20
# A p99 of some 500 requests is decided by five of them, so that less than twice says nothing. What
# shares a pool, a lock or a queue with calls that hang waits for their deadline, which is a hundred
# times more. Below the floor a ratio is noise.
MOST_RATIO, FLOOR_MS = 2.0, 25.0
DEADLINE_SECONDS = 2.0
LEAST_MS = 1.0  # of a message, that a ratio can be told
STALL_MS = 300.0  # so late, and what PostgreSQL waited, which is not seen, is much as well
LEAD_SECONDS = 1.0  # of wrong calls, before the others' times count
END_SECONDS = 60.0  # of a round's calls, those included that the worker makes
SETTINGS = {
    "call_deadline_seconds": f"{DEADLINE_SECONDS:g}",
    "call_lease_seconds": f"{DEADLINE_SECONDS + 10:g}",
    "call_attempts": "2",
    "queue_seconds": "2",  # so that a round leaves little to the next
    "max_plugin_answer_bytes": str(1024 * 1024),
    # Never opens: a plugin that is left alone does nothing wrong.
    "breaker_calls": "10000",
}


@dataclass(frozen=True)
class Wrong:
    """`does`: after "a plugin that"."""

    does: str
    behave: Behaviour


HANGS = Wrong("hangs", hang)
OTHERS = [
    Wrong("sends a byte a second", drip),
    Wrong("sends 10 MiB", flood),  # and more, if it is let
    Wrong("sends a gzip bomb", gzip_bomb),
    Wrong("refuses with 429", status("429 Too Many Requests")),
]


def judge(
    does: str, without: Sequence[float], beside: Sequence[float], floor_ms: float
) -> list[str]:
    """The percentiles of rounds of either kind, in milliseconds; those at one place are a pair."""
    pairs = list(zip(without, beside, strict=True))
    more = median(together - alone for alone, together in pairs)
    if ratio(without, beside) <= MOST_RATIO or more <= floor_ms:
        return []
    return [f"the others wait {more:.1f} ms longer beside a plugin that {does}"]


def ratio(without: Sequence[float], beside: Sequence[float]) -> float:
    """The median of the pairs', each of two rounds that followed one another."""
    return median(together / alone for alone, together in zip(without, beside, strict=True))


def row_of(wrong: Wrong) -> Body:
    async def body(run: Run, row: Row) -> None:
        await _compare(wrong, run, row)

    return body


async def _compare(wrong: Wrong, run: Run, row: Row) -> None:
    rounds_without: list[list[float]] = []
    rounds_beside: list[list[float]] = []
    async with (
        world(run.servers, **SETTINGS) as made,
        raw_plugin(good) as answering,
        raw_plugin(wrong.behave) as misbehaving,
        measured_lag() as lag,
    ):
        core = await made.serve()
        await made.worker()
        users = await made.users(core, 4)
        for plugin, name in ((answering, "answers"), (answering, "good"), (misbehaving, "wrong")):
            await made.register(core, plugin.url, name, regex_intent("x", f"^{name}$"))
        await made.register(core, answering.url, "text_reply")
        rounds = Rounds(made, core, lag, users, run.scale.round_seconds, run.scale.strict)
        await rounds.one("good")  # warms both processes up, and counts for nothing
        for number in range(1, run.scale.pairs + 1):
            # Which comes first changes, so that neither has always the colder half.
            kinds = [("good", rounds_without), ("wrong", rounds_beside)]
            for name, times in kinds if number % 2 else reversed(kinds):
                times.append(await rounds.one(name))
            run.progress(f"beside: {number}/{run.scale.pairs} pairs of rounds")
        called = len(misbehaving.calls)
        row.take(await made.check(Ledgers()), made.bot.log)
    # Small rounds, and a machine that stood still, have no p99 worth the name, but a median.
    late_ms = percentile(rounds.late_ms, 0.99) or 0.0
    fine = run.scale.strict and late_ms < STALL_MS
    share, floor = (0.99, FLOOR_MS) if fine else (0.5, DEADLINE_SECONDS * 250)
    without, beside = (
        [percentile(times, share) or 0.0 for times in kind]
        for kind in (rounds_without, rounds_beside)
    )
    row.faults += [*rounds.faults, *judge(wrong.does, without, beside, floor)]
    row.rounds, row.p99_ms = len(beside), median(beside) if fine else None
    if not called:
        row.faults.append(f"the plugin that {wrong.does} was never called")
    row.notes.append(
        f"the others' p{share * 100:.0f} is {median(beside):.1f} ms beside a plugin that"
        f" {wrong.does},"
        f" {median(without):.1f} ms beside one that answers, ratio"
        f" {ratio(without, beside):.2f}; medians of"
        f" {len(beside)} rounds each; {GOOD_A_SECOND} messages/s, {BESIDE_A_SECOND} beside,"
        f" which came to {called} calls; the machine was late by"
        f" {late_ms:.0f} ms in the p99, which is taken off"
    )


@dataclass
class Rounds:
    """`late_ms`: of every message, what the machine and not the core made it wait."""

    _made: World
    _core: Process
    _lag: Lag
    _users: Sequence[str]
    _seconds: float
    _strict: bool
    _number: int = 0
    late_ms: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    async def one(self, name: str) -> list[float]:
        """Milliseconds of each message to `answers`, while `name` is spoken to as well.

        Nothing of it is left for the next round.
        """
        self._number += 1
        times: list[float] = []
        seconds = self._seconds + LEAD_SECONDS
        beside = asyncio.create_task(
            _steadily(BESIDE_A_SECOND, seconds, lambda at: self._say(name, at))
        )
        await asyncio.sleep(LEAD_SECONDS)
        await _steadily(GOOD_A_SECOND, self._seconds, lambda at: self._timed(at, times))
        await beside
        await self._made.until(self._made.all_ended, END_SECONDS, "every call of a round ended")
        return times

    async def _timed(self, at: int, times: list[float]) -> None:
        message = self._message("answers", at)
        started, waited = time.monotonic(), self._core.waited_ms
        reply = await self._made.bot.say(*message)
        late = self._lag.worst_ms_since(started) + self._core.waited_ms - waited
        self.late_ms.append(late)
        times.append(max(LEAST_MS, reply.milliseconds - late))
        if reply.status == 202 and not self._strict:  # on a busy machine the deadline may be over
            reply = await self._made.bot.settled(*message, END_SECONDS)
        if reply.code == "plugin_timeout" and late >= STALL_MS and not self._strict:
            return  # the plugin is of the suite, and stood still with it
        if reply.said.get("status") != "accepted":
            self.faults.append(f"a message to a good plugin got {reply.status} {reply.code}")

    async def _say(self, name: str, at: int) -> Reply:
        return await self._made.bot.say(*self._message(name, at))

    def _message(self, name: str, at: int) -> tuple[str, Key, str, str]:
        """A new one, as a bot says it."""
        key = new_key(f"{name}-{self._number}-{at}")
        return self._core.url, key, self._users[at % len(self._users)], name


async def _steadily(
    a_second: int, seconds: float, send: Callable[[int], Coroutine[None, None, object]]
) -> None:
    """Open loop: each is sent when it is due, whether or not the one before is answered."""
    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for at in range(round(a_second * seconds)):
            await asyncio.sleep(max(0.0, started + at / a_second - time.monotonic()))
            group.create_task(send(at))
