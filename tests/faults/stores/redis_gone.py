"""Rows: what may happen to a Redis, under load, and what the bots see of it: nothing."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from redis.asyncio import Redis

from generated.triggers import DEGRADED_RECOVERY_SECONDS
from impl.events.comparison.stream import compare
from tests.faults.errors import CannotRunError
from tests.faults.groups import Body, Run
from tests.faults.load import Load, under_load
from tests.faults.log import Log, percentile
from tests.faults.raw import Worker, raw_plugin
from tests.faults.results import Row
from tests.faults.stores.beside import beside
from tests.faults.stores.others import Others
from tests.faults.stores.redis_ways import Store, Way
from tests.faults.stores.reporter import MAY_REPORT, Reporter
from tests.faults.stores.scale import amounts
from tests.faults.stores.servers import own_valkey
from tests.faults.stores.settings import ENDS_SECONDS, SETTINGS
from tests.faults.world import World, world
from tests.redis_faults import Server
from tests.wire import line_before

EVENTS_RATE = 5.0
WARM_MESSAGES = 15
# What the p99 may be above the one before; and more, what the median may be, on a busy machine.
MORE_MS, LENIENT_MS = 300.0, 1000.0
WORST_MS = 200.0  # and more, where the p99 is the worst of some dozens
BUSY_MS = 1000.0  # a p99 that says nothing of Redis; three times so much on a busy machine
COMPLETE_SECONDS = 60.0  # from the return of Redis until the streams have everything
ENTERED_SECONDS = 30.0  # beyond a short absence, until a busy worker has told of it
NOTICED_SECONDS = 5.0  # until /readyz tells of it, beyond the setting that says for how long
COMPARE_SECONDS = 0.25
DEPLOYED_SECONDS = 30.0  # Redis away for longer is degraded; too long for a run that is short
QUICK = {
    "degraded_redis_seconds": "1",
    "degraded_look_seconds": "0.2",
    "degraded_recovery_seconds": "0.5",
    # It enters because of Redis or not at all, however long that is waited for.
    "degraded_lag_seconds": "3600",
}
WAITS = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
TOLD = "SELECT count(*) FROM outbox WHERE body->>'event_type' = $1"


def row_of(way: Way) -> Body:
    async def body(run: Run, row: Row) -> None:
        await _run(way, run, row)

    return body


async def _run(way: Way, run: Run, row: Row) -> None:
    worker = Worker(seconds=lambda: run.random.uniform(0, 0.02))
    long = amounts(run.scale).away_seconds > DEPLOYED_SECONDS
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        valkey = await enter(own_valkey())
        line = await enter(line_before(valkey.server.url))
        redis = await enter(Redis.from_url(valkey.server.url, decode_responses=True))
        ours = SETTINGS if long else SETTINGS | QUICK
        made = await enter(world(run.servers, redis_url=line.url, **ours))
        plugin = await enter(raw_plugin(worker.behave))
        core = await made.serve()
        await made.worker()
        users = await made.users(core, 4)
        said = await made.register(core, plugin.url, "text_reply", scopes=[MAY_REPORT])
        reporter = Reporter(made.bot, core.url, said["plugin_id"], said["token"], EVENTS_RATE)
        others = Others(made.bot, core.url)
        rate = amounts(run.scale).rate
        load = Load([made.bot], [core.url], users, rate, run.random, ENDS_SECONDS)
        gone = Gone(way, run, made, Store(valkey, Server(line, redis), run.random), others, row)
        async with under_load(load), beside(reporter.run()), beside(others.run()):
            await gone.run()
        # At once: what is found already is told, whatever comes of the rest.
        row.faults += [*load.faults(), *_refused(run, made.bot.log, others, reporter)]
        gone.judge_times()
        if gone.complete is not None:
            await made.until(made.all_ended, ENDS_SECONDS, "every call ended")
            row.take(await made.check(worker.ledgers), made.bot.log)
            row.lost += len(reporter.acknowledged - await gone.told())
        await gone.count()
    load.require_rate()
    reporter.require_acknowledged()
    row.rounds, row.p99_ms = 1, gone.late_ms if run.scale.strict else None
    row.notes.append(
        f"{rate:g} messages/s; Redis {way.name} for {gone.seconds:.0f} s: {gone.measure}"
        f" {gone.late_ms:.0f} ms, {gone.normal_ms:.0f} ms before; the streams were complete"
        f" {gone.complete or 0:.1f} s after its return"
    )


def _refused(run: Run, log: Log, others: Others, reporter: Reporter) -> list[str]:
    """A busy machine may be too late for the database: whoever is told to come again then may."""
    told = log.server_errors + others.statuses + reporter.statuses
    told[0, False] += log.told[0]
    return [f"{times} requests were answered {status or 'not at all'}"
            for (status, when), times in told.items() if times and not 200 <= status < 500
            and (run.scale.strict or not (status == 503 and when))]  # fmt: skip


@dataclass
class Gone:
    """`complete`: so long after the return of Redis the streams were; None: they never were."""

    way: Way
    run_: Run
    made: World
    store: Store
    others: Others
    row: Row
    normal_ms: float = 0.0
    late_ms: float = 0.0
    spans: Sequence[tuple[float, float]] = ()
    complete: float | None = None

    @property
    def seconds(self) -> float:
        started, ended = self.spans[-1]
        return ended - started

    @property
    def measure(self) -> str:
        """Some dozens of messages have no p99 that a busy machine does not decide."""
        return "p99" if self.run_.scale.strict else "p50"

    async def run(self) -> None:
        await self.made.until(self._is_warm, ENDS_SECONDS, "messages are answered")
        started = time.monotonic()
        await asyncio.sleep(amounts(self.run_.scale).quiet_seconds)
        began = time.monotonic()
        if (busy := self._ms(started, began)) > BUSY_MS * (1 if self.run_.scale.strict else 3):
            raise CannotRunError(f"the {self.measure} is {busy:.0f} ms with a Redis that is well")
        async with self.way.enter(self.store):
            await self._require_effect()
            await asyncio.sleep(amounts(self.run_.scale).away_seconds)
            self.spans = [(started, began), (began, time.monotonic())]
            if self.way.away and not self.run_.scale.strict:
                await self.made.until(self._has_entered, ENTERED_SECONDS)
        await self._completes(time.monotonic())
        until_normal = NOTICED_SECONDS + DEGRADED_RECOVERY_SECONDS
        if not await self.made.until(self._is_normal, until_normal):
            self.row.faults.append(f"/readyz says {self.others.mode} after Redis came back")

    async def _is_warm(self) -> bool:
        return len(self.made.bot.log.acknowledged) >= WARM_MESSAGES and bool(self.others.modes)

    async def _is_normal(self) -> bool:
        return self.others.mode == "normal"

    async def _require_effect(self) -> None:
        if self.way.away and await self.store.takes_writes():
            raise CannotRunError(f"Redis {self.way.name}, and takes writes all the same")

    def judge_times(self) -> None:
        (self.normal_ms, self.late_ms) = (self._ms(*span) for span in self.spans)
        self.run_.progress(f"Redis {self.way.name}: {self.measure}"
                           f" {self.late_ms:.0f} ms, {self.normal_ms:.0f} ms before")  # fmt: skip
        if self.late_ms > self.normal_ms + self._more_ms():
            self.row.faults.append(
                f"the {self.measure} is {self.late_ms:.0f} ms, {self.normal_ms:.0f} ms when Redis"
                " is well"
            )

    def _more_ms(self) -> float:
        """As promised where there is a p99: in a few seconds it is the worst of all, which found
        Redis away, waited 250 ms for it and then went on together."""
        if not self.run_.scale.strict:
            return MORE_MS + LENIENT_MS
        return MORE_MS if self.seconds > DEPLOYED_SECONDS else MORE_MS + WORST_MS

    def _ms(self, start: float, end: float) -> float:
        """Of the requests that were begun in between, whenever they were answered."""
        times = [entry.milliseconds for entry in self.made.bot.log.entries if entry.kind != "invoke"
                 and start <= entry.at - entry.milliseconds / 1000 < end]  # fmt: skip
        if not times:
            raise CannotRunError("no message was sent")
        return percentile(times, 0.99 if self.run_.scale.strict else 0.5) or 0.0

    async def _completes(self, returned: float) -> None:
        found = ["nothing was compared"]
        while found and time.monotonic() < returned + COMPLETE_SECONDS:
            if await self.made.pool.fetchval(WAITS) == 0:
                found = await self._differences()
            await asyncio.sleep(COMPARE_SECONDS)
        if not found:
            self.complete = time.monotonic() - returned
        else:
            waits = await self.made.pool.fetchval(WAITS)
            late = f"not complete {COMPLETE_SECONDS:g} s after the return of Redis"
            self.row.faults += [f"the streams are {late}: {waits} events wait", *found]

    async def _differences(self) -> list[str]:
        reports = [report async for report in compare(self.made.pool, self.store.server.redis)]
        return [text for report in reports if report.differs for text in report.lines()]

    async def count(self) -> None:
        """It was entered and left once, and said so. A flushed one may be late for a while, and a
        busy machine may be so late that Redis seems away again."""
        await self.made.until(self._has_left, NOTICED_SECONDS + DEPLOYED_SECONDS)
        entered, left = await self._transitions()
        modes = [mode for _, mode in self.others.modes]
        once = self.run_.scale.strict and self.way.away
        if entered != left or (self.way.away and entered < 1) or (once and entered > 1):
            self.row.faults.append(f"degraded was told {entered} times, and recovered {left} times")
        if once and modes != ["normal", "degraded", "normal"]:
            self.row.faults.append(f"/readyz said {', '.join(modes)}")

    async def _has_entered(self) -> bool:
        entered, _ = await self._transitions()
        return entered > 0

    async def _has_left(self) -> bool:
        entered, left = await self._transitions()
        return entered == left

    async def _transitions(self) -> tuple[int, int]:
        entered, left = [await self.made.pool.fetchval(TOLD, event)
                         for event in ("core_degraded", "core_recovered")]  # fmt: skip
        return entered, left

    async def told(self) -> set[str]:
        """The events of plugins in the streams."""
        bodies = (await self.made.streams("plugin:events")).get("plugin:events", [])
        return {str(body["event_id"]) for body in bodies}
