"""Bots at a steady rate: each message is repeated under its key until its answer is final."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.faults.bot import Bot, Reply, kind_of, new_key
from tests.faults.errors import CannotRunError
from tests.faults.log import Key

# A bot comes again when it is told to, but a suite does not wait for long.
LONGEST_PAUSE_SECONDS = 1.0
SHORTEST_PAUSE_SECONDS = 0.05
# Of the messages that should have been begun: with fewer the load was another one.
ENOUGH = 0.8
# A machine that is too slow shall be seen by its rate, and not drown.
MOST_UNDER_WAY = 200
AT_ONCE = 20


@dataclass
class Load:
    """`bots` share one log and take turns at `urls`; `rate` is of new messages a second.

    What a bot was told is queued, it looks for and does not send again. A message is given up after
    `patience` seconds, and then it is in `unanswered`; in `failed` are those whose answer is that
    they failed, in `vanished` those that were queued and are not there.
    """

    bots: Sequence[Bot]
    urls: Sequence[str]
    users: Sequence[str]
    rate: float
    random: random.Random
    patience: float
    name: str = "load"
    text: str = "say"
    headers: Mapping[str, str] = field(default_factory=dict)
    repeated: set[Key] = field(default_factory=set)
    unanswered: dict[Key, Reply] = field(default_factory=dict)
    failed: dict[Key, Reply] = field(default_factory=dict)
    vanished: dict[Key, Reply] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    left_out: int = 0
    seconds: float = 0.0
    enough: float = ENOUGH
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def run(self) -> None:
        """Begins messages until it is cancelled, whatever becomes of the earlier ones."""
        started = time.monotonic() - self.seconds  # it may have run before
        while True:
            self.seconds = time.monotonic() - started
            while self.begun + self.left_out < int(self.seconds * self.rate):
                if len(self._tasks) < MOST_UNDER_WAY:
                    self._start(self._message(self.begun, self._next_key()))
                else:
                    self.left_out += 1
            # Not evenly: what comes in step never meets.
            await asyncio.sleep(self.random.uniform(0.5, 1.5) / self.rate)

    @property
    def begun(self) -> int:
        return len(self.keys)

    async def finish(self) -> None:
        """Waits for what is under way, and raises what went wrong in it."""
        await asyncio.gather(*self._tasks)

    async def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def require_rate(self) -> None:
        """Raises CannotRunError where the machine did not begin as many as it should have."""
        reached = self.begun / max(self.seconds, 1 / self.rate)
        if reached < self.rate * self.enough:
            raise CannotRunError(f"{reached:.0f} messages a second, not {self.rate:g}")

    def faults(self) -> list[str]:
        """What a bot would complain about: of all messages, each of which has a good plugin."""
        waited = f"has no answer after {self.patience:g} s"
        told = [(waited, self.unanswered), ("failed", self.failed),
                ("was acknowledged and is not there", self.vanished)]  # fmt: skip
        return [f"{key.message_id} {what}: {reply.status} {reply.code}"
                for what, replies in told for key, reply in replies.items()]  # fmt: skip

    def summary(self) -> str:
        told = ", ".join(f"{times} of {status or 'none'}"
                         for status, times in self.bots[0].log.told.most_common())  # fmt: skip
        return (f"{self.begun} messages at {self.rate:g} a second, {len(self.repeated)} asked for"
                f" again; answers: {told}")  # fmt: skip

    async def replay(self, most: int) -> None:
        """Asks once more for so many of them, so that the checker can compare the answers."""
        numbers = self.random.sample(range(self.begun), min(most, self.begun))
        for number in numbers:
            self._start(self._message(number, self.keys[number]))
            if len(self._tasks) >= AT_ONCE:
                await self.finish()
        await self.finish()

    def _start(self, message: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(message)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _next_key(self) -> Key:
        self.keys.append(new_key(f"{self.name}-{self.begun}"))
        return self.keys[-1]

    async def _message(self, number: int, key: Key) -> None:
        bot, user = self.bots[number % len(self.bots)], self.users[number % len(self.users)]
        ends, kept = time.monotonic() + self.patience, False
        for attempt in count():
            url = self.urls[(number // len(self.bots) + attempt) % len(self.urls)]
            reply = await (self._look(bot, url, key) if kept else self._say(bot, url, key, user))
            kept = kept or reply.status == 202
            if self._is_over(key, reply, kept=kept):
                return
            if time.monotonic() > ends:
                self.unanswered[key] = reply
                return
            self.repeated.add(key)
            await asyncio.sleep(self._pause(reply, attempt))

    def _is_over(self, key: Key, reply: Reply, *, kept: bool) -> bool:
        if kept and reply.status == 404:
            self.vanished[key] = reply
            return True
        if reply.said.get("status") == "failed":
            self.failed[key] = reply
        return reply.is_final

    async def _say(self, bot: Bot, url: str, key: Key, user: str) -> Reply:
        return await bot.say(url, key, user, f"{self.text} {key.message_id}", **self.headers)

    async def _look(self, bot: Bot, url: str, key: Key) -> Reply:
        """Noted where it says something that the checker holds against the rest."""
        reply = await bot.read(url, key)
        if reply.is_final or reply.status >= 500:
            bot.log.note(key, kind_of(reply), reply.status, reply.body, reply.milliseconds,
                         retry_after=reply.retry_after)  # fmt: skip
        return reply

    def _pause(self, reply: Reply, attempt: int) -> float:
        """As the answer asks, else twice as long each time."""
        ours = SHORTEST_PAUSE_SECONDS * 2 ** min(attempt, 10)
        longest = min(float(reply.retry_after or ours), LONGEST_PAUSE_SECONDS)
        return self.random.uniform(longest / 2, longest)


@asynccontextmanager
async def under_load(load: Load) -> AsyncIterator[Load]:
    """Meanwhile there is load; in the end each of its messages has its answer, or is given up."""
    running = asyncio.create_task(load.run())
    try:
        yield load
    except BaseException:
        await _end(running)
        await load.cancel()
        raise
    await _end(running)
    await load.finish()


async def _end(running: "asyncio.Task[None]") -> None:
    running.cancel()
    (ended,) = await asyncio.gather(running, return_exceptions=True)
    if ended is not None and not isinstance(ended, asyncio.CancelledError):
        raise ended
