"""Row: kill -9 of PostgreSQL, of all its processes, under load; it starts again on its data."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from tests.faults.bot import PAUSE_SECONDS, Reply, new_key
from tests.faults.errors import CannotRunError
from tests.faults.groups import Run
from tests.faults.load import Load, under_load
from tests.faults.log import Key
from tests.faults.processes import Process
from tests.faults.raw import Worker, raw_plugin
from tests.faults.results import Row
from tests.faults.stores.scale import amounts
from tests.faults.stores.servers import OwnPostgres, own_postgres
from tests.faults.stores.settings import DEADLINE_SECONDS, ENDS_SECONDS, SETTINGS
from tests.faults.world import World, world

ENOUGH = 0.3  # of the messages: while it is away they pile up, and are not begun in the end
BACK_SECONDS = 5.0  # from the moment when PostgreSQL is ready until the first success
# Nothing but a commit writes the log to the disk: what is acknowledged before that is lost.
BY_COMMITS = {"wal_writer_delay": "10s"}
AGAIN = 20  # answers between two kills: it is not down all the time
BETWEEN_SECONDS = 20.0  # at most, until these are there
BURST = 20  # so that every kill meets commits


async def run(run: Run, row: Row) -> None:
    worker = Worker(seconds=lambda: run.random.uniform(0, 0.05))
    async with AsyncExitStack() as stack:
        postgres, servers = await stack.enter_async_context(
            own_postgres(run.servers.root, None, **BY_COMMITS)
        )
        made = await stack.enter_async_context(world(servers, **SETTINGS))
        stack.push_async_callback(postgres.revive)
        plugin = await stack.enter_async_context(raw_plugin(worker.behave))
        core = await made.serve()
        await made.worker()
        users = await made.users(core, 4)
        await made.register(core, plugin.url, "text_reply")
        rate, times = amounts(run.scale).rate, amounts(run.scale).postgres_kills
        # A message may be there for every kill, and be taken over after the last one only.
        patience = times * BETWEEN_SECONDS + ENDS_SECONDS
        load = Load([made.bot], [core.url], users, rate, run.random, patience, enough=ENOUGH)
        kills = Kills(run, made, core, postgres, worker, users)
        async with under_load(load):
            for number in range(1, times + 1):
                await kills.one(number)
                row.rounds = number
                run.progress(f"kill -9 of PostgreSQL: {number}/{times}, first"
                             f" success {kills.back[-1]:.2f} s after it was ready")  # fmt: skip
        await kills.settle()
        await made.until(made.all_ended, ENDS_SECONDS, "every call ended")
        row.take(await made.check(worker.ledgers), made.bot.log)
    load.require_rate()
    row.faults += [*load.faults(), *kills.faults]
    if not kills.unknown:
        raise CannotRunError("no message was under way when PostgreSQL was killed")
    row.notes.append(
        f"{rate:g} messages/s; the first success came {max(kills.back):.2f} s after PostgreSQL was"
        f" ready at most; of {kills.unknown} messages of unknown fate {kills.committed} were"
        f" stored, and read again by their keys"
    )


@dataclass
class Kills:
    """`unknown`: of these messages nobody was told the fate; `committed` of them were stored."""

    run: Run
    made: World
    core: Process
    postgres: OwnPostgres
    worker: Worker
    users: list[str]
    back: list[float] = field(default_factory=list)
    unknown: int = 0
    committed: int = 0
    faults: list[str] = field(default_factory=list)
    _fates: dict[Key, bytes | None] = field(default_factory=dict)

    async def one(self, number: int) -> None:
        began = time.monotonic()
        await self.made.until(
            lambda: self._succeeded(began, AGAIN), BETWEEN_SECONDS, "messages are answered"
        )
        await asyncio.sleep(self.run.random.uniform(0.3, 1.0))
        keys = [new_key(f"burst-{number}-{at}") for at in range(BURST)]
        burst = [asyncio.create_task(self._say(key)) for key in keys]
        called = self.worker.deliveries.total() + self.run.random.randrange(BURST)
        # Some are stored by then, some are being stored, and some wait for that.
        await self.made.until(lambda: self._called(called), DEADLINE_SECONDS)
        await self.postgres.kill()
        replies = await asyncio.gather(*burst)
        await self.postgres.start()
        await self._first_success(time.monotonic())
        fates = [key for key, reply in zip(keys, replies, strict=True) if not reply.is_final]
        self.unknown += len(fates)
        await asyncio.gather(*(self._read_again(key) for key in fates))

    async def settle(self) -> None:
        """In the end a repetition has each message answered, with what was stored before."""
        await asyncio.gather(*(self._settle(key, body) for key, body in self._fates.items()))

    async def _first_success(self, ready: float) -> None:
        most = BACK_SECONDS * self.run.scale.patience
        if not await self.made.until(lambda: self._succeeded(ready), most + 1):
            self.faults.append(f"no success {most + 1:g} s after PostgreSQL was ready")
        took = next((entry.at - ready for entry in self.made.bot.log.entries
                     if entry.kind == "ok" and entry.at > ready), most + 1)  # fmt: skip
        self.back.append(took)
        if took > most:
            self.faults.append(f"the first success came {took:.1f} s after PostgreSQL was ready")

    async def _called(self, number: int) -> bool:
        return self.worker.deliveries.total() >= number

    async def _succeeded(self, since: float, times: int = 1) -> bool:
        entries = self.made.bot.log.entries[-1000:]
        return sum(entry.kind == "ok" and entry.at > since for entry in entries) >= times

    async def _read_again(self, key: Key) -> None:
        """What the table has of a message of unknown fate, the core finds by its key."""
        query = "SELECT count(*) FROM message_keys WHERE dialog_id = $1::uuid AND message_id = $2"
        stored = await self.made.pool.fetchval(query, *key) == 1
        self.committed += stored
        read = await self._read(key)
        if read.status != (200 if stored else 404):
            what = "stored" if stored else "not stored"
            self.faults.append(f"{key.message_id} is {what}, and read as {read.status}")
        self._fates[key] = read.body if read.is_final else None

    async def _read(self, key: Key) -> Reply:
        """Asked again where it is told to come again."""
        ends = time.monotonic() + ENDS_SECONDS
        while True:
            reply = await self.made.bot.read(self.core.url, key)
            if reply.status != 503 or time.monotonic() > ends:
                return reply
            await asyncio.sleep(PAUSE_SECONDS)

    async def _settle(self, key: Key, before: bytes | None) -> None:
        last = await self.made.bot.settled(self.core.url, key, self.users[0], "burst", ENDS_SECONDS)
        if last.said.get("status") != "accepted":
            self.faults.append(f"{key.message_id} ends as {last.status} {last.code}")
        if before not in (None, last.body):
            self.faults.append(f"{key.message_id} was read in one way and answered in another")

    async def _say(self, key: Key) -> Reply:
        return await self.made.bot.say(self.core.url, key, self.users[0], "burst")
