"""Wake-ups between processes, by PostgreSQL's NOTIFY on a connection of their own.

A NOTIFY in the transaction of an event would make commits wait for one another, so it is sent
after them, and seldom: one tells of everything that was committed meanwhile. It may be lost, and
passes no pgbouncer: whoever waits looks by itself now and then too.
"""

import asyncio
from collections import defaultdict
from typing import Literal

import asyncpg
import structlog

from impl.db import UNAVAILABLE

log = structlog.get_logger()

Channel = Literal["botcore_events", "botcore_feed", "botcore_tokens"]
EVENTS: Channel = "botcore_events"  # events were committed
FEED: Channel = "botcore_feed"  # events were given their places in the feed
# A trigger of the table tells it (migration 0011), in the transaction that changes a token: they
# are few, and so a command's are told too.
TOKENS: Channel = "botcore_tokens"

# Before each NOTIFY: a message that is answered at once commits twice, and is told once, when it is
# answered. Between two of one process there is the other gap.
GATHER_SECONDS = 0.005
GAP_SECONDS = 0.010
PAUSE_WHEN_AWAY_SECONDS = 1.0
# A line that was cut without a word is found by asking.
QUIET_SECONDS = 30.0
TIMEOUT_SECONDS = 3.0


class Bell:
    """Rung by whoever has something to tell; one waits for it."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Until it is rung, or was since the last time; no longer than `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            pass
        self._rung.clear()


class Wire:
    """One connection of a process, on which it tells others and is told."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._bells: dict[str, list[Bell]] = defaultdict(list)
        self._untold: dict[Channel, None] = {}
        self._work = asyncio.Event()
        self._backend = 0

    def bell(self, channel: Channel) -> Bell:
        """Rings when any process tells of `channel`. Ask for it before `run`."""
        made = Bell()
        self._bells[channel].append(made)
        return made

    def tell(self, channel: Channel) -> None:
        """Costs nothing: what is told soon after one another goes out together."""
        self._ring(channel)
        self._untold[channel] = None
        self._work.set()

    def tell_of_events(self) -> None:
        self.tell(EVENTS)

    async def run(self) -> None:
        """Never ends. While the database is away nobody is told, and everybody looks by itself."""
        while True:
            try:
                await self._connected()
            except (*UNAVAILABLE, asyncpg.PostgresError) as error:
                log.warning("wire_down", reason=type(error).__name__)
            await asyncio.sleep(PAUSE_WHEN_AWAY_SECONDS)

    async def _connected(self) -> None:
        connection = await asyncpg.connect(
            self._url,
            timeout=TIMEOUT_SECONDS,
            command_timeout=TIMEOUT_SECONDS,
            statement_cache_size=0,
            server_settings={"application_name": "botcore wake-ups"},
        )
        try:
            self._backend = connection.get_server_pid()
            connection.add_termination_listener(lambda _: self._work.set())
            for channel in list(self._bells):
                await connection.add_listener(channel, self._heard)
                self._ring(channel)  # whatever was told while nobody listened
            while not connection.is_closed():
                await self._tell_others(connection)
        finally:
            connection.terminate()

    async def _tell_others(self, connection: asyncpg.Connection) -> None:
        try:
            async with asyncio.timeout(QUIET_SECONDS):
                await self._work.wait()
        except TimeoutError:
            await connection.execute("SELECT 1")
            return
        await asyncio.sleep(GATHER_SECONDS)
        self._work.clear()
        untold, self._untold = self._untold, {}
        if untold:
            await connection.execute(";".join(f"NOTIFY {channel}" for channel in untold))
            await asyncio.sleep(GAP_SECONDS)

    def _heard(self, _connection: object, backend: int, channel: str, _payload: str) -> None:
        if backend != self._backend:  # our own bells rang when it was told
            self._ring(channel)

    def _ring(self, channel: str) -> None:
        for bell in self._bells.get(channel, ()):
            bell.ring()
