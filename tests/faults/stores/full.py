"""Row: PostgreSQL's disk is full, its log on it too; then there is room again."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import asyncpg

from tests.faults.errors import CannotRunError
from tests.faults.groups import Run
from tests.faults.load import Load, under_load
from tests.faults.processes import Process
from tests.faults.raw import Worker, raw_plugin
from tests.faults.results import Row
from tests.faults.stores.disk import MIB, SmallDisk, small_disk
from tests.faults.stores.scale import amounts
from tests.faults.stores.servers import OwnPostgres, own_postgres
from tests.faults.stores.settings import ENDS_SECONDS, SETTINGS
from tests.faults.world import World, world

DISK_MIB = 256
SMALL_SERVER = {"shared_buffers": "16MB", "min_wal_size": "32MB", "max_wal_size": "32MB"}
FULL_SECONDS = 20.0  # at most, until a message is refused
BACK_SECONDS = 5.0  # from the moment when there is room until the first success
# Of a message either all of this is there or nothing: each has a dialog of its own.
HALF = """
SELECT count(*) FROM (
    SELECT id FROM dialogs UNION SELECT dialog_id FROM message_keys
    UNION SELECT dialog_id FROM messages UNION SELECT dialog_id FROM plugin_calls
) AS some (id)
WHERE NOT (
    id IN (SELECT id FROM dialogs) AND id IN (SELECT dialog_id FROM message_keys)
    AND id IN (SELECT dialog_id FROM messages) AND id IN (SELECT dialog_id FROM plugin_calls)
    AND id::text IN (SELECT body->>'dialog_id' FROM outbox))
"""


async def run(run: Run, row: Row) -> None:
    worker = Worker(seconds=lambda: run.random.uniform(0, 0.05))
    async with AsyncExitStack() as stack:
        disk = await stack.enter_async_context(small_disk(DISK_MIB))
        postgres, servers = await stack.enter_async_context(
            own_postgres(run.servers.root, disk.folder, **SMALL_SERVER)
        )
        made = await stack.enter_async_context(world(servers, **SETTINGS))
        stack.push_async_callback(postgres.revive)
        plugin = await stack.enter_async_context(raw_plugin(worker.behave))
        core = await made.serve()
        await made.worker()
        users = await made.users(core, 4)
        await made.register(core, plugin.url, "text_reply")
        rate = amounts(run.scale).rate
        load = Load([made.bot], [core.url], users, rate, run.random, ENDS_SECONDS)
        full = Full(made, core, disk, postgres)
        async with under_load(load):
            await full.run(amounts(run.scale).full_seconds, BACK_SECONDS * run.scale.patience)
        await made.until(made.all_ended, ENDS_SECONDS, "every call ended")
        await full.look_for_halves()
        row.take(await made.check(worker.ledgers), made.bot.log)
        refused = made.bot.log.told[503]
    row.rounds = 1
    row.faults += [*load.faults(), *full.faults]
    down = "went down and was started again" if full.went_down else "stayed up"
    row.notes.append(
        f"{rate:g} messages/s; PostgreSQL on {DISK_MIB} MiB, of which {full.taken / MIB:.0f} were"
        f" taken, {down}; {refused} requests were refused with 503; the first success came"
        f" {full.back:.2f} s after there was room"
    )


@dataclass
class Full:
    made: World
    core: Process
    disk: SmallDisk
    postgres: OwnPostgres
    taken: int = 0
    back: float = 0.0
    went_down: bool = False
    faults: list[str] = field(default_factory=list)

    async def run(self, seconds: float, back_seconds: float) -> None:
        await self.made.until(lambda: self._succeeded(0.0), ENDS_SECONDS, "messages are answered")
        began = time.monotonic()
        self.taken = self.disk.fill()
        try:
            if not await self.made.until(lambda: self._refused(began), FULL_SECONDS):
                raise CannotRunError("the disk was full, and every message found room")
            await self._stay_full(time.monotonic() + seconds)
            if self.postgres.running:
                await self.look_for_halves()
        finally:
            self.disk.make_room()
        roomy = time.monotonic()
        self.went_down = not self.postgres.running
        await self.postgres.revive()  # as whoever supervises it does
        await self._first_success(roomy, back_seconds)

    async def _stay_full(self, until: float) -> None:
        """What PostgreSQL gives up meanwhile is taken too."""
        while time.monotonic() < until:
            self.taken += self.disk.fill()
            await asyncio.sleep(0.1)

    async def look_for_halves(self) -> None:
        try:
            halves = await self.made.pool.fetchval(HALF)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return  # it recovers just now; it is looked at in the end
        if halves:
            self.faults.append(f"{halves} messages are stored by half")

    async def _first_success(self, since: float, seconds: float) -> None:
        if not await self.made.until(lambda: self._succeeded(since), seconds):
            self.faults.append(f"no success {seconds:g} s after there was room")
        self.back = time.monotonic() - since

    async def _succeeded(self, since: float) -> bool:
        return any(status == 200 for status in self._told(since))

    async def _refused(self, since: float) -> bool:
        """In any way: the checker says which are wrong."""
        return any(status >= 500 for status in self._told(since))

    def _told(self, since: float) -> list[int]:
        return [entry.status for entry in self.made.bot.log.entries[-1000:] if entry.at > since]
