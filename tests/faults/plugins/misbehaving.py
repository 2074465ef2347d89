"""Row: a plugin does wrong, in every way of the table, and the bot is answered in time."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from tests.faults.bot import new_key
from tests.faults.checker import Ledgers
from tests.faults.groups import Run
from tests.faults.lag import Lag, measured_lag
from tests.faults.log import Key, percentile
from tests.faults.plugins.behaviours import TABLE, Case
from tests.faults.plugins.judgement import Held, Observed, judge, judge_leaks
from tests.faults.processes import Process
from tests.faults.raw import RawPlugin, good, raw_plugin
from tests.faults.results import Row
from tests.faults.scale import Scale
from tests.faults.world import World, world
from tests.stack import regex_intent

DEADLINE_SECONDS = 2.0
END_SECONDS = 120.0  # of a queued call: a few deliveries of a deadline each, and pauses between
CLOSED_SECONDS = 30.0
# So long without a processor, and a deadline of 2 s says nothing about the core.
STALL_MS, TRIES = 300.0, 3
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


async def run(run: Run, row: Row) -> None:
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(world(run.servers, **SETTINGS))
        core, lag = await made.serve(), await stack.enter_async_context(measured_lag())
        processes = {"the API": core, "the worker": await made.worker()}
        (user,) = await made.users(core, 1)
        trials = [
            Trial(made, core, lag, case, await stack.enter_async_context(raw_plugin(case.behave)))
            for case in TABLE
        ]
        await made.register(core, (await stack.enter_async_context(raw_plugin(good))).url,
                            "text_reply")  # fmt: skip
        turns = []
        for turn in range(1, run.scale.repeats + 1):
            held, faults = await _turn(trials, processes, user, turn, run)
            turns.append(held)
            row.faults += faults
        for name in processes:
            row.faults += judge_leaks(name, turns[0][name], turns[-1][name])
        row.take(await made.check(_ledgers_of(trials)), made.bot.log)
    times = [entry.milliseconds for entry in made.bot.log.entries if entry.kind == "ok"]
    row.p99_ms, row.rounds = percentile(times, 0.99), run.scale.repeats
    grew = ", ".join(
        f"{name} by {(turns[-1][name].memory_kib - turns[0][name].memory_kib) / 1024:.1f} MiB and"
        f" {turns[-1][name].descriptors - turns[0][name].descriptors} descriptors"
        for name in processes
    )
    row.notes.append(
        f"{len(TABLE)} ways to do wrong, {run.scale.repeats} times each; deadline"
        f" {DEADLINE_SECONDS:g} s, or the bot's; the latest answer came"
        f" {max(trial.overrun_ms for trial in trials):.0f} ms after it; after the first time"
        f" grew {grew}; {sum(trial.repeated for trial in trials)} tried again, as the machine stood"
        " still"
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
    repeated: int = 0

    async def once(self, user: str, turn: int, scale: Scale) -> list[str]:
        """What was wrong; tried again where the machine stood still, and not the core."""
        faults: list[str] = []
        for patch in range(TRIES):
            seen = await self._send(user, turn, patch)
            faults = judge(self.case, seen, scale.grace_ms)
            if not faults or seen.lag_ms < STALL_MS:
                break
            self.repeated += 1
        return faults

    async def _send(self, user: str, turn: int, patch: int) -> Observed:
        """A message to a new version, since one that failed before may not be called."""
        name = "p_" + re.sub(r"\W+", "_", self.case.name.lower()).strip("_")
        self.plugin.greet = None
        await self.made.register(
            self.core, self.plugin.url, name, regex_intent("wrong", f"^{name}$", 10),
            version=f"1.{turn}.{patch}", **self.case.manifest,
        )  # fmt: skip
        self.plugin.greet = self.case.greet
        key, before = new_key(f"{name}-{turn}-{patch}"), len(self.plugin.calls)
        return await self._observe(key, user, name, before)

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


async def _turn(
    trials: Sequence[Trial], processes: Mapping[str, Process], user: str, turn: int, run: Run
) -> tuple[dict[str, Held], list[str]]:
    """All side by side; then what is still held once there was the time to close it."""
    found = await asyncio.gather(*(trial.once(user, turn, run.scale) for trial in trials))
    held = {}
    for name, process in processes.items():
        sockets = await _sockets(process, trials)
        held[name] = Held(process.descriptors, process.memory_kib, sockets)
    run.progress(f"misbehaving: {turn}/{run.scale.repeats} turns")
    return held, [fault for faults in found for fault in faults]


async def _sockets(process: Process, trials: Sequence[Trial]) -> Counter[str]:
    def number() -> Counter[str]:
        return Counter({trial.case.name: process.sockets_to(trial.plugin.port) for trial in trials})

    async def closed() -> bool:
        return max(number().values()) <= 1  # one that is kept for the next call

    await World.until(closed, CLOSED_SECONDS)
    return number()
