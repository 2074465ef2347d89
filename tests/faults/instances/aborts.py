"""Row: clients that hang up, at any moment of a request; what they began is ended as all else is,
and nothing is held for them."""

import asyncio
import contextlib
import random
import socket
import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import urlsplit

import orjson

from tests.faults.bot import new_key
from tests.faults.groups import Run
from tests.faults.instances.stage import LEASE, Stage, stage
from tests.faults.log import Key
from tests.faults.processes import Process
from tests.faults.results import Row
from tests.faults.world import World
from tests.scrape import read

# Where the client hangs up: within the request's head or its body, while it waits for the answer,
# or with a part of the answer read.
Point = Literal["head", "body", "waiting", "answer"]
AT_ONCE = 20
LONGEST_WORK = 0.05
# A little longer than a message takes, so that some are answered just then.
LONGEST_WAIT = 0.1
ASKED_AGAIN = 200
IDLE_SECONDS = 10.0
# How much the pools may have grown since the warm-up; far fewer than the aborts.
MORE_DESCRIPTORS = 40
SESSIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'botcore' AND state <> 'idle'
"""


@dataclass
class Aborts:
    """`whole`: the messages that were sent to their end, with the user of each; `cut`: not so."""

    built: Stage
    random: random.Random
    whole: dict[Key, str] = field(default_factory=dict)
    cut: set[Key] = field(default_factory=set)
    points: Counter[Point] = field(default_factory=Counter)

    async def run(self, number: int) -> None:
        built, key = self.built, new_key(f"abort-{number}")
        user, core = built.users[number % len(built.users)], built.cores[number % len(built.cores)]
        point = self.random.choice(get_args(Point))
        head, body = _request(built, core, key, user)
        self.points[point] += 1
        built.made.bot.log.note(key, "invoke")
        if point in ("waiting", "answer"):
            self.whole[key] = user
        else:
            self.cut.add(key)
        await self._abort(core, point, head, body)
        built.made.bot.log.note(key, "unknown")

    async def _abort(self, core: Process, point: Point, head: bytes, body: bytes) -> None:
        parts = urlsplit(core.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            if point == "head":
                writer.write(head[: self.random.randrange(len(head))])
            elif point == "body":
                writer.write(head + body[: self.random.randrange(len(body))])
            else:
                writer.write(head + body)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
                await self._linger(reader, point)
        finally:
            self._hang_up(writer)

    async def _linger(self, reader: asyncio.StreamReader, point: Point) -> None:
        if point == "answer":
            await reader.read(self.random.randrange(1, 200))
        else:
            await asyncio.sleep(self.random.uniform(0, LONGEST_WAIT))

    def _hang_up(self, writer: asyncio.StreamWriter) -> None:
        """Every other time with a reset, as a client does that is killed with unread data."""
        if self.random.random() < 0.5:
            found = writer.get_extra_info("socket")
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        else:
            writer.close()


async def run(run: Run, row: Row) -> None:
    async with stage(run, 2, LONGEST_WORK, **LEASE) as built:
        before = await _warmed_up(built)
        aborts = Aborts(built, run.random)
        await _all(aborts, run)
        row.rounds = run.scale.aborts
        row.faults += await built.open_calls()
        row.faults += await _held(built, before)
        row.faults += await _asked_again(aborts)
        row.faults += await _not_sent(aborts)
        found = await built.made.check(built.worker.ledgers)
    row.take(found, built.made.bot.log)
    row.notes.append(f"hung up {dict(aborts.points)}; {min(ASKED_AGAIN, len(aborts.whole))} of the"
                     f" {len(aborts.whole)} that were sent whole were asked for again")  # fmt: skip


async def _warmed_up(built: Stage) -> list[int]:
    """Each instance's descriptors once it has answered as many at once as there will be."""
    said = [(core, new_key(f"warm-{core.child.pid}-{at}"), built.users[at % len(built.users)])
            for core in built.cores for at in range(AT_ONCE)]  # fmt: skip
    await asyncio.gather(
        *(built.made.bot.settled(core.url, key, user, _text(key), built.limit)
          for core, key, user in said)
    )  # fmt: skip
    return [core.descriptors for core in built.cores]


async def _all(aborts: Aborts, run: Run) -> None:
    numbers = iter(range(1, run.scale.aborts + 1))

    async def client() -> None:
        for number in numbers:
            await aborts.run(number)
            if number % 1000 == 0:
                run.progress(f"aborts: {number}/{run.scale.aborts}")

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))


async def _held(built: Stage, before: list[int]) -> list[str]:
    """What is still held for clients that are gone."""
    found: list[str] = []

    async def nothing() -> bool:
        found[:] = await _still_held(built, before)
        return not found

    await World.until(nothing, IDLE_SECONDS)
    return found


async def _still_held(built: Stage, before: list[int]) -> list[str]:
    found = []
    if busy := await built.made.pool.fetchval(SESSIONS):
        found.append(f"{busy} database sessions are not idle after the aborts")
    if built.plugin.busy:
        found.append(f"{built.plugin.busy} calls are under way after the aborts")
    for core, usual in zip(built.cores, before, strict=True):
        found += await _held_by(built, core)
        if core.descriptors > usual + MORE_DESCRIPTORS:
            found.append(f"an instance holds {core.descriptors} descriptors, before {usual}")
    return found


async def _held_by(built: Stage, core: Process) -> list[str]:
    async with built.made.bot.session.get(f"{core.url}/metrics") as response:
        scraped = read(await response.read())
    used = scraped.value("botcore_database_connections", state="used")
    under_way = scraped.value("botcore_requests_under_way")
    if used is None or under_way is None:
        return ["the metrics do not say what is held"]
    found = [f"{used:g} connections of a pool are in use after the aborts"] if used else []
    if under_way > 1:  # the scrape itself
        found.append(f"{under_way - 1:g} requests are under way after the aborts")
    return found


async def _asked_again(aborts: Aborts) -> list[str]:
    """Whoever hung up learns what became of the message, from either instance, and always alike."""
    built, bot = aborts.built, aborts.built.made.bot
    keys = aborts.random.sample(list(aborts.whole), min(ASKED_AGAIN, len(aborts.whole)))
    found = []
    for at, key in enumerate(keys):
        text = _text(key)
        for core in (built.cores[at % 2], built.cores[1 - at % 2]):
            reply = await bot.settled(core.url, key, aborts.whole[key], text, built.limit)
            if reply.said.get("status") != "accepted":
                found.append(f"{key.message_id} is {reply.status} {reply.code}")
    return found


async def _not_sent(aborts: Aborts) -> list[str]:
    stored = (await aborts.built.made.stored()).responses
    return [f"{key.message_id} is stored, and was never sent whole"
            for key in stored.keys() & aborts.cut]  # fmt: skip


def _request(built: Stage, core: Process, key: Key, user: str) -> tuple[bytes, bytes]:
    said = {"user_id": user, "message_id": key.message_id,
            "payload": {"type": "text", "text": _text(key)}}  # fmt: skip
    body = orjson.dumps(said)
    lines = [f"POST /api/v1/dialogs/{key.dialog_id}/messages HTTP/1.1",
             f"Host: {urlsplit(core.url).netloc}", f"X-Bot-Token: {built.made.bot.token}",
             "Content-Type: application/json", f"Content-Length: {len(body)}"]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n", body


def _text(key: Key) -> str:
    return f"say {key.message_id}"
