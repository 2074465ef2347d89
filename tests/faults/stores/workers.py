"""Row: two workers, of which one is killed again and again, and one is stopped for a while."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import cycle, islice
from signal import SIGCONT, SIGSTOP
from typing import Any

from impl.db import TRANSACTION_SECONDS
from tests.faults.bot import Bot, Reply
from tests.faults.checker import Stored
from tests.faults.errors import CannotRunError
from tests.faults.groups import Run
from tests.faults.load import Load, under_load
from tests.faults.log import Key
from tests.faults.processes import Process
from tests.faults.raw import Worker, raw_plugin
from tests.faults.results import Row
from tests.faults.stores.beside import beside
from tests.faults.stores.reporter import MAY_REPORT, Reporter
from tests.faults.stores.scale import amounts
from tests.faults.stores.settings import ENDS_SECONDS, LEASE_SECONDS, SETTINGS
from tests.faults.stores.webhooks import WAITING, judge_notices, subscribe
from tests.faults.world import World, world
from tests.integration.notifications.receiver import receiver

EVENTS_RATE = 5.0
ENOUGH = 0.5  # of the messages: that a worker starts again takes much of a small machine
WEBHOOK_SECONDS = 1.0  # its timeout; a worker's attempt is another one's after that and 15 s
SENT_SECONDS = WEBHOOK_SECONDS + 15.0 + 10.0
# Whoever took a call over may be killed, too: each time a lease more, and an attempt.
ANSWERED_SECONDS = ENDS_SECONDS + 4 * LEASE_SECONDS
LATE_SECONDS = 1.0  # what waits for longer is a lag …
LAG_SECONDS = 10.0  # … of which nothing is left so long after the last worker is back
FROZEN_LAG_SECONDS = TRANSACTION_SECONDS + LAG_SECONDS  # nor while one still stands still
OURS = SETTINGS | {
    "call_attempts": "20",
    "notification_timeout_seconds": f"{WEBHOOK_SECONDS:g}",
    "notification_poll_seconds": "0.1",
    "notification_retry_scale": "0.02",  # on a busy machine a second is not always enough
}
LONGEST_SECONDS = 1.2  # that the plugin takes
STUCK_SECONDS = 2 * LONGEST_SECONDS  # under way for so long: its worker stands still, or is killed
HOLDER_TRIES = 10
STUCK = """
SELECT count(*) FROM plugin_calls WHERE status = 'in_progress' AND deadline_at IS NOT NULL
    AND started_at < clock_timestamp() - make_interval(secs => $1)
"""
LAG = """
SELECT greatest(
    (SELECT extract(epoch FROM clock_timestamp() - min(created_at)) FROM outbox
     WHERE published_at IS NULL),
    (SELECT extract(epoch FROM clock_timestamp() - min(created_at)) FROM outbox
     WHERE id > (SELECT outbox_id FROM notification_cursor)),
    (SELECT extract(epoch FROM clock_timestamp() - min(available_at)) FROM plugin_calls
     WHERE status = 'queued'), 0)::float8
"""


async def run(run: Run, row: Row) -> None:
    # Long enough for a worker to have some under way whenever it is killed.
    worker = Worker(seconds=lambda: run.random.uniform(0.3, LONGEST_SECONDS))
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(world(run.servers, **OURS))
        plugin = await stack.enter_async_context(raw_plugin(worker.behave))
        core = await made.serve()
        users = await made.users(core, 4)
        said = await made.register(core, plugin.url, "text_reply", scopes=[MAY_REPORT])
        reporter = Reporter(made.bot, core.url, said["plugin_id"], said["token"], EVENTS_RATE)
        bots = [made.bot, Later(made.bot.session, made.bot.token, made.bot.log)]
        rate = amounts(run.scale).rate
        load = Load(bots, [core.url], users, rate, run.random, ANSWERED_SECONDS, enough=ENOUGH)
        hook = await stack.enter_async_context(receiver())
        await subscribe(made, core, hook)
        workers = Workers(run, made, [await made.worker(), await made.worker()])
        async with under_load(load), beside(reporter.run()):
            await workers.kill(amounts(run.scale).worker_kills)
            await workers.freeze(amounts(run.scale).frozen_seconds)
        await workers.recover()
        await made.until(made.all_ended, ANSWERED_SECONDS, "every call ended")
        await made.until(
            lambda: made.none(WAITING), SENT_SECONDS, "every notification was delivered"
        )
        row.take(await made.check(worker.ledgers), made.bot.log)
        stored, streams = await made.stored(), await made.streams()
    load.require_rate()
    reporter.require_acknowledged()
    taken_over = sum(call.attempt > 1 for call in stored.calls)
    if not taken_over:
        raise CannotRunError("no worker had a call when it was killed")
    row.rounds = workers.kills
    row.faults += [*load.faults(), *workers.faults, *judge_calls(stored)]
    found = judge_events(reporter.acknowledged, streams)
    row.lost, row.doubled = row.lost + found.lost, row.doubled + found.doubled
    row.faults += found.faults
    judge_notices(reporter.acknowledged, hook.got, hook.ids, row)
    again = sum(times > 1 for times in worker.deliveries.values())
    repeatedly = sum(call.attempt > 2 for call in stored.calls)
    row.notes.append(
        f"{rate:g} messages/s, of which half are the workers', and {EVENTS_RATE:g} events/s;"
        f" {workers.kills} kills and {workers.frozen:.1f} s of SIGSTOP; {taken_over} calls were"
        f" taken over, {repeatedly} of them more than once, and {again} were delivered again;"
        f" {len(hook.ids)} notifications were sent of"
        f" {len(set(hook.ids))} webhook-ids and {len(reporter.acknowledged)} events;"
        f" {workers.lag_frozen:.1f} s late during the stop, and not at all"
        f" {workers.recovered:.1f} s after it"
    )


class Later(Bot):
    """Its answers may come later: a worker makes its calls."""

    async def say(self, url: str, key: Key, user_id: str, text: str, **headers: str) -> Reply:
        return await super().say(url, key, user_id, text, Prefer="respond-async", **headers)


@dataclass
class Workers:
    run: Run
    made: World
    workers: list[Process]
    newest: Process | None = None
    kills: int = 0
    frozen: float = 0.0
    lag_frozen: float = 0.0
    recovered: float = 0.0
    faults: list[str] = field(default_factory=list)

    async def kill(self, times: int) -> None:
        """At a random moment, one or the other; it is started again. The first is made to hold a
        call: a run whose kills meet none says nothing."""
        for self.kills in range(1, times + 1):
            await asyncio.sleep(self.run.random.uniform(0.1, 0.6))
            at = self.run.random.randrange(len(self.workers))
            self._require_all()
            if self.kills == 1:
                at = await self._one_that_stands_still_with_a_call()
            await self.workers[at].kill()
            self.newest = self.workers[at] = await self.made.worker()
            self.run.progress(f"kill -9 of a worker: {self.kills}/{times}")

    async def freeze(self, seconds: float) -> None:
        """What it holds meanwhile, it must find taken over when it goes on. One that has just
        begun is the worst: it is preparing its statements."""
        self._require_all()
        worker = self.newest or self.workers[0]
        worker.child.signal(SIGSTOP)
        began = time.monotonic()
        try:
            await asyncio.sleep(seconds)
            self.lag_frozen = await self._lag()
            if not await self.made.until(self._is_prompt, FROZEN_LAG_SECONDS):
                self.faults.append(f"{await self._lag():.1f} s late while a worker stands still")
        finally:
            worker.child.signal(SIGCONT)
        self.frozen = time.monotonic() - began
        self.run.progress(f"a worker stood still for {self.frozen:.1f} s")

    async def recover(self) -> None:
        began = time.monotonic()
        if not await self.made.until(self._is_prompt, LAG_SECONDS):
            self.faults.append(f"{await self._lag():.1f} s late, {LAG_SECONDS:g} s after the end")
        self.recovered = time.monotonic() - began
        self._require_all()

    def _require_all(self) -> None:
        """Only those that we kill may end."""
        self.faults += [f"a worker ended by itself:\n{worker.child.tail(5)}"
                        for worker in self.workers if not worker.alive]  # fmt: skip

    async def _one_that_stands_still_with_a_call(self) -> int:
        """Its place. Where one is the quicker, the other may have none for long."""
        for at in islice(cycle(range(len(self.workers))), HOLDER_TRIES):
            self.workers[at].child.signal(SIGSTOP)
            await asyncio.sleep(STUCK_SECONDS)
            if await self.made.pool.fetchval(STUCK, STUCK_SECONDS):
                return at
            self.workers[at].child.signal(SIGCONT)
        raise CannotRunError("no worker had a call to be killed with")

    async def _is_prompt(self) -> bool:
        return await self._lag() < LATE_SECONDS

    async def _lag(self) -> float:
        return float(await self.made.pool.fetchval(LAG))


@dataclass
class Counts:
    lost: int = 0
    doubled: int = 0
    faults: list[str] = field(default_factory=list)


def judge_calls(stored: Stored) -> list[str]:
    """The plugin is good: no worker's death is a reason to fail."""
    ends = Counter(call.status for call in stored.calls if call.status != "succeeded")
    return [f"{times} calls of a good plugin are {status}" for status, times in ends.items()]


def judge_events(
    acknowledged: set[str], streams: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Counts:
    """An entry's id is its event's position, so even an entry that was sent twice is there once."""
    found = Counts()
    for stream, bodies in streams.items():
        for event_id, times in Counter(str(body["event_id"]) for body in bodies).items():
            if times > 1:
                found.doubled += 1
                found.faults.append(f"{stream} has the event {event_id} {times} times")
    told = {str(body["event_id"]) for body in streams.get("plugin:events", ())}
    found.lost = len(acknowledged - told)
    found.faults += [f"the event {event_id} was acknowledged, and is in no stream"
                     for event_id in sorted(acknowledged - told)]  # fmt: skip
    return found
