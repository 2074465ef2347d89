"""Row: a plugin does wrong, in every way of the table, and the bot is answered in time."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise

from tests.faults.bot import Reply, new_key
from tests.faults.checker import Ledgers
from tests.faults.groups import Run
from tests.faults.lag import Lag, measured_lag
from tests.faults.log import Key, percentile
from tests.faults.plugins.behaviours import TABLE, Case
from tests.faults.processes import Process
from tests.faults.raw import Call, RawPlugin, good, raw_plugin
from tests.faults.results import Row
from tests.faults.scale import Scale
from tests.faults.world import World, world
from tests.stack import regex_intent

DEADLINE_SECONDS = 2.0
END_SECONDS = 40.0  # of a queued call: a few deliveries of a deadline each, and pauses between
CLOSED_SECONDS = 5.0
EARLY_SECONDS = 0.05  # of a Retry-After: timers of two processes
# Of the API's process, from the first turn's end to the last's: pools, caches and arenas grow a
# little; an answer, a connection or a task that is kept for each call grows with the turns.
MOST_DESCRIPTORS = 8
MOST_MEMORY_MIB = 48
SETTINGS = {
    "call_deadline_seconds": f"{DEADLINE_SECONDS:g}",
    "call_lease_seconds": f"{DEADLINE_SECONDS + 10:g}",
    "call_attempts": "2",
    "max_plugin_answer_bytes": str(1024 * 1024),
}
STATUSES = """
SELECT status, error_code, response_payload IS NOT NULL AS answered FROM plugin_calls
WHERE dialog_id = $1::uuid
"""
EVENTS = """
SELECT action FROM audit_logs WHERE source = 'core' AND details->>'invocation_id' = $1 ORDER BY id
"""


@dataclass
class Observed:
    """One message to a plugin that does wrong, timed by the bot.

    `lag_ms` is of the machine: what the suite overslept, and the API waited for a processor.
    """

    first: Reply
    lag_ms: float
    last: Reply
    again: Reply
    read: Reply
    calls: list[Call]
    stored: list[tuple[str, str | None, bool]]
    events: list[str]
    deadline_ms: float
    next: Reply | None = None


@dataclass
class Held:
    """What the API's process holds."""

    descriptors: int
    memory_kib: int
    sockets: Counter[str] = field(default_factory=Counter)


def judge(case: Case, seen: Observed, grace_ms: float) -> list[str]:
    """What is not as the table says."""
    found = (*_answers(case, seen, grace_ms), *_stored(case, seen), *_attempts(case, seen))
    return [f"{case.name}: {text}" for text in found]


def _answers(case: Case, seen: Observed, grace_ms: float) -> Iterable[str]:
    allowed = seen.deadline_ms + grace_ms + seen.lag_ms
    if seen.first.milliseconds > allowed:
        yield f"the bot waited {seen.first.milliseconds:.0f} ms, not {allowed:.0f} at most"
    first = (seen.first.status, seen.first.said.get("status"))
    expected = (202, "queued") if case.late else (200, _final(case))
    if first != expected:
        yield f"the first answer is {first}, code {seen.first.code}; expected is {expected}"
    if (seen.last.status, seen.last.said.get("status")) != (200, _final(case)):
        yield f"the last answer is {seen.last.status} {seen.last.said.get('status')}"
    if seen.last.code != case.code:
        yield f"the code is {seen.last.code}, not {case.code}"
    if not seen.last.body == seen.again.body == seen.read.body:
        yield "the stored answer differs from the one that was sent"
    if seen.next is not None and (seen.next.status, seen.next.said.get("status")) != (
        200, "accepted",
    ):  # fmt: skip
        yield f"the next message got {seen.next.status} {seen.next.code}: another call's answer"
    if seen.next is not None and "again" in seen.next.body.decode():
        yield "the next message got the second answer of the one before"


def _final(case: Case) -> str:
    return "accepted" if case.code is None else "failed"


def _stored(case: Case, seen: Observed) -> Iterable[str]:
    expected = [(case.call_status, case.code, case.code is None)]
    if seen.stored != expected:
        yield f"stored is {seen.stored}, not {expected}"
    end = {"succeeded": "plugin_invocation_completed", "timeout": "plugin_timeout"}
    ends = [name for name in seen.events if name not in
            ("plugin_invocation_started", "plugin_invocation_queued")]  # fmt: skip
    if ends != [end.get(case.call_status, "plugin_failed")]:
        yield f"the end is told as {ends}"
    if case.late and "plugin_invocation_queued" not in seen.events:
        yield "no plugin_invocation_queued tells that it waits"


def _attempts(case: Case, seen: Observed) -> Iterable[str]:
    ids = {call.invocation_id for call in seen.calls}
    if len(ids) > 1:
        yield f"the attempts had {len(ids)} invocation ids"
    if any(call.headers.get("x-invocation-id") != call.invocation_id for call in seen.calls):
        yield "X-Invocation-Id is not the body's"
    if case.greet is None and not seen.calls:
        yield "the plugin was never called"
    if case.most is not None and len(seen.calls) > case.most:
        yield f"{len(seen.calls)} attempts, where nothing may be repeated"
    gaps = [later.at - call.at for call, later in pairwise(seen.calls)]
    if gaps and min(gaps) < case.wait - EARLY_SECONDS:
        yield f"the next attempt came after {min(gaps):.2f} s, before Retry-After"


def judge_leaks(first: Held, last: Held) -> list[str]:
    """Of the API after the first turn and after the last."""
    found = [f"{number} connections to the plugin that {name} are still held"
             for name, number in sorted(last.sockets.items()) if number > 1]  # fmt: skip
    if (more := last.descriptors - first.descriptors) > MOST_DESCRIPTORS:
        found.append(f"the API holds {more} descriptors more than after the first turn")
    if (more := (last.memory_kib - first.memory_kib) // 1024) > MOST_MEMORY_MIB:
        found.append(f"the API holds {more} MiB more than after the first turn")
    return found


async def run(run: Run, row: Row) -> None:
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(world(run.servers, **SETTINGS))
        core, lag = await made.serve(), await stack.enter_async_context(measured_lag())
        await made.worker()
        (user,) = await made.users(core, 1)
        trials = [
            Trial(made, core, lag, case, await stack.enter_async_context(raw_plugin(case.behave)))
            for case in TABLE
        ]
        await made.register(core, (await stack.enter_async_context(raw_plugin(good))).url,
                            "text_reply")  # fmt: skip
        first = await _turn(trials, user, 1, run.scale, row)
        last = first
        for turn in range(2, run.scale.repeats + 1):
            last = await _turn(trials, user, turn, run.scale, row)
            run.progress(f"misbehaving: {turn}/{run.scale.repeats} turns")
        row.faults += judge_leaks(first, last)
        row.take(await made.check(_ledgers_of(trials)), made.bot.log)
    times = [entry.milliseconds for entry in made.bot.log.entries if entry.kind == "ok"]
    row.p99_ms, row.rounds = percentile(times, 0.99), run.scale.repeats
    grew = (last.memory_kib - first.memory_kib) / 1024
    row.notes.append(
        f"{len(TABLE)} ways to do wrong, {run.scale.repeats} times each; deadline"
        f" {DEADLINE_SECONDS:g} s, or the bot's; the latest answer came"
        f" {max(trial.overrun_ms for trial in trials):.0f} ms after it; the API grew by"
        f" {grew:.1f} MiB and {last.descriptors - first.descriptors} descriptors since the first"
    )


def _ledgers_of(trials: Sequence["Trial"]) -> Ledgers:
    ledgers = Ledgers()
    for trial in trials:
        for call in trial.plugin.calls:
            ledgers.ids[str(call.body["dialog_id"])].add(call.invocation_id)
    return ledgers


@dataclass
class Trial:
    made: World
    core: Process
    lag: Lag
    case: Case
    plugin: RawPlugin
    overrun_ms: float = 0.0

    async def once(self, user: str, turn: int, scale: Scale) -> list[str]:
        """Send a message to a new version, since one that failed before may not be called."""
        name = "p_" + re.sub(r"\W+", "_", self.case.name.lower()).strip("_")
        self.plugin.greet = None
        await self.made.register(
            self.core, self.plugin.url, name, regex_intent("wrong", f"^{name}$", 10),
            version=f"1.{turn}.0", **self.case.manifest,
        )  # fmt: skip
        self.plugin.greet = self.case.greet
        key, before = new_key(f"{name}-{turn}"), len(self.plugin.calls)
        seen = await self._observe(key, user, name, before)
        return judge(self.case, seen, scale.grace_ms)

    async def _observe(self, key: Key, user: str, text: str, before: int) -> Observed:
        bot, url = self.made.bot, self.core.url
        ms = self.case.deadline_ms
        deadline_ms = ms or DEADLINE_SECONDS * 1000
        started, waited = time.monotonic(), self.core.waited_ms
        first = await bot.say(url, key, user, text, **({"X-Deadline-Ms": str(ms)} if ms else {}))
        lag_ms = self.lag.worst_ms_since(started) + self.core.waited_ms - waited
        self.overrun_ms = max(self.overrun_ms, first.milliseconds - deadline_ms)
        last = first
        if not first.is_final:
            last = await bot.settled(url, key, user, text, END_SECONDS)
        again, read = await bot.say(url, key, user, text), await bot.read(url, key)
        calls = self.plugin.calls[before:]
        after = None
        if self.case.code is None:  # is there something left on the line?
            await World.until(self._has_done, CLOSED_SECONDS)
            after = await bot.say(url, new_key(f"{key.message_id}-next"), user, text)
        rows = await self.made.pool.fetch(STATUSES, key.dialog_id)
        events = await self.made.pool.fetch(EVENTS, calls[0].invocation_id if calls else await
                                            self._invocation(key))  # fmt: skip
        return Observed(
            first, lag_ms, last, again, read, calls, [tuple(row) for row in rows],
            [row["action"] for row in events], deadline_ms, after,
        )  # fmt: skip

    async def _has_done(self) -> bool:
        return not self.plugin.busy

    async def _invocation(self, key: Key) -> str:
        query = "SELECT invocation_id::text FROM plugin_calls WHERE dialog_id = $1::uuid"
        return str(await self.made.pool.fetchval(query, key.dialog_id))


async def _turn(trials: Sequence[Trial], user: str, turn: int, scale: Scale, row: Row) -> Held:
    """All side by side; then what the API still holds once it had the time to close it."""
    for found in await asyncio.gather(*(trial.once(user, turn, scale) for trial in trials)):
        row.faults += found
    core = trials[0].core

    async def closed() -> bool:
        return all(core.sockets_to(trial.plugin.port) <= 1 for trial in trials)

    await World.until(closed, CLOSED_SECONDS)
    sockets = Counter({trial.case.name: core.sockets_to(trial.plugin.port) for trial in trials})
    return Held(core.descriptors, core.memory_kib, sockets)
