"""Row: two watchers on one database; each outage and each recovery is told once."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import aiohttp

from tests.faults.groups import Run
from tests.faults.log import percentile
from tests.faults.processes import Process
from tests.faults.raw import RawPlugin, good, raw_plugin
from tests.faults.results import Row
from tests.faults.world import World, world
from tests.stack import regex_intent

MISSED, RECOVERED = "plugin_heartbeat_missed", "plugin_recovered"
BEAT_SECONDS = 0.3
MISSED_SECONDS = 2.0
DOWN_SECONDS = 20.0  # at most, until the core says so
UP_SECONDS = 30.0  # at most, of backoffs that doubled meanwhile
SETTINGS = {
    "heartbeat_missed_seconds": f"{MISSED_SECONDS:g}",
    "probe_interval_seconds": "0.3",
    "watch_seconds": "0.1",
}
TOLD = """
SELECT event_type FROM plugin_events WHERE plugin_id = $1::uuid AND source = 'core'
AND event_type IN ('plugin_heartbeat_missed', 'plugin_recovered') ORDER BY created_at, id
"""
AUDITED = """
SELECT action FROM audit_logs WHERE details->>'plugin_id' = $1 AND source = 'core'
AND action IN ('plugin_heartbeat_missed', 'plugin_recovered') ORDER BY id
"""


@dataclass
class Counts:
    lost: int = 0
    doubled: int = 0
    faults: list[str] = field(default_factory=list)


def judge(name: str, outages: int, excused: int, told: Sequence[str], where: str) -> Counts:
    """`told`: the events of a plugin in order. `excused`: outages of the suite's own lateness."""
    found = Counts()
    for event in (MISSED, RECOVERED):
        times = told.count(event)
        found.lost += max(0, outages - times)
        found.doubled += max(0, times - outages - excused)
        if not outages <= times <= outages + excused:
            found.faults.append(f"{name}: {where} tells {times} of {outages} as {event}")
    if any(text != (MISSED, RECOVERED)[at % 2] for at, text in enumerate(told)):
        found.faults.append(f"{name}: {where} tells no outage and recovery in turn: {told}")
    return found


async def run(run: Run, row: Row) -> None:
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(world(run.servers, **SETTINGS))
        core = await made.serve()
        await made.worker()
        await made.worker()
        watched = []
        for at in range(run.scale.plugins):
            plugin = await stack.enter_async_context(raw_plugin(good))
            name = f"watched_{at}"
            began = time.monotonic()
            said = await made.register(core, plugin.url, name, regex_intent("x", f"^{name}$"))
            watched.append(
                Watched(made, core, plugin, name, said["plugin_id"], said["token"], began)
            )
            stack.push_async_callback(watched[-1].stop)
            watched[-1].start()
        await asyncio.gather(*(each.live(run.scale.outages, run) for each in watched))
        await made.streams("plugin:events")
        for each in watched:
            await each.count(row)
    row.rounds = sum(each.outages for each in watched)
    row.requests = sum(each.sent for each in watched)
    row.acknowledged = sum(len(each.beats) for each in watched)
    row.faults += [fault for each in watched for fault in each.faults]
    row.p99_ms = percentile((ms for each in watched for ms in each.took_ms), 0.99)
    late = [seconds for each in watched for seconds in each.noticed]
    excused = sum(each.excused for each in watched)
    row.notes.append(
        f"{row.rounds} outages of {len(watched)} plugins, two watchers; silence of"
        f" {MISSED_SECONDS:g} s is an outage, and was one after {percentile(late, 0.5) or 0:.1f} s"
        f" in the median; {excused} more were allowed for the suite's own lateness"
    )


@dataclass
class Watched:
    """A plugin that gives signs of life, stops to, and comes back."""

    made: World
    core: Process
    plugin: RawPlugin
    name: str
    plugin_id: str
    token: str
    registered: float  # silence counts from here
    beating: bool = True
    back: bool = False
    outages: int = 0
    excused: int = 0
    sent: int = 0
    beats: list[float] = field(default_factory=list)
    took_ms: list[float] = field(default_factory=list)
    noticed: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _task: "asyncio.Task[None] | None" = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._beat())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _beat(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.core.url}/api/v1/plugins/{self.plugin_id}/heartbeat"
        body = {"plugin_id": self.plugin_id, "status": "active"}
        while True:
            if self.beating:
                started = time.monotonic()
                self.sent += 1
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    async with self.made.bot.session.post(
                        url, json=body, headers=headers
                    ) as answer:
                        await answer.read()
                        self._note(started, answer.status)
            await asyncio.sleep(BEAT_SECONDS)

    def _note(self, started: float, status: int) -> None:
        now = time.monotonic()
        if status != 200:
            self.faults.append(f"{self.name}: a heartbeat was answered with {status}")
            return
        self.took_ms.append((now - started) * 1000)
        # Late by our own doing: the core may well have seen an outage here.
        last = self.beats[-1] if self.beats else self.registered
        late = now - last > MISSED_SECONDS * 0.8
        self.excused += late and not self.back
        self.back = False
        self.beats.append(now)

    async def live(self, outages: int, run: Run) -> None:
        """Every other outage is of `/health` too."""
        down, up = DOWN_SECONDS * run.scale.patience, UP_SECONDS * run.scale.patience
        await self.made.until(self._is_active, up)
        for number in range(outages):
            await asyncio.sleep(run.random.random() * BEAT_SECONDS)
            self.beating, self.plugin.healthy = False, number % 2 == 0
            self.outages += 1
            if not await self.made.until(self._is_degraded, down):
                self.faults.append(f"{self.name}: not degraded after {down:g} s of silence")
                return
            if self.plugin.healthy and self.beats:  # else the probes may have told it earlier
                self.noticed.append(time.monotonic() - self.beats[-1])
            await asyncio.sleep(run.random.random())
            self.back = True  # the gap that ends now is this outage
            self.beating = self.plugin.healthy = True
            if not await self.made.until(self._is_active, up):
                self.faults.append(f"{self.name}: not active {up:g} s after it came back")
                return
        run.progress(f"watchers: {self.name} had {self.outages} outages")

    async def _status(self) -> str:
        query = "SELECT status FROM plugins WHERE id = $1::uuid"
        return str(await self.made.pool.fetchval(query, self.plugin_id))

    async def _is_active(self) -> bool:
        return await self._status() == "active"

    async def _is_degraded(self) -> bool:
        return await self._status() == "degraded"

    async def count(self, row: Row) -> None:
        """Holds the outages against the events, the audit log and the stream."""
        pool = self.made.pool
        told = [item["event_type"] for item in await pool.fetch(TOLD, self.plugin_id)]
        audited = [item["action"] for item in await pool.fetch(AUDITED, self.plugin_id)]
        streams = await self.made.streams("plugin:events")
        streamed = [
            body["event_type"] for body in streams.get("plugin:events", [])
            if body.get("plugin_id") == self.plugin_id and body["event_type"] in (MISSED, RECOVERED)
        ]  # fmt: skip
        found = judge(self.name, self.outages, self.excused, told, "plugin_events")
        row.lost, row.doubled = row.lost + found.lost, row.doubled + found.doubled
        row.faults += found.faults
        for other, where in ((audited, "the audit log"), (streamed, "the stream")):
            if other != told:
                row.faults.append(f"{self.name}: {where} tells {other}, plugin_events {told}")
