"""What else is asked of the core meanwhile: users, messages read again, and whether it is ready."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

import aiohttp
import orjson

from tests.faults.bot import Bot

EVERY_SECONDS = 0.1
USER = {"display_name": "Ada", "locale": "en"}


@dataclass
class Others:
    """`modes`: what /readyz said, by time, each time that it changed. `statuses`: how often each
    was the answer, and whether it said when to come again; 0 where none came."""

    bot: Bot
    url: str
    statuses: Counter[tuple[int, bool]] = field(default_factory=Counter)
    modes: list[tuple[float, str]] = field(default_factory=list)

    @property
    def mode(self) -> str:
        return self.modes[-1][1] if self.modes else ""

    async def run(self) -> None:
        """Until it is cancelled."""
        for number in count(1):
            await self._look()
            await self._ask("POST", "/api/v1/users", USER | {"telegram_id": number})
            if keys := self.bot.log.entries[-1:]:
                key = keys[0].key
                reply = await self.bot.read(self.url, key)
                self.statuses[reply.status, reply.retry_after is not None] += 1
                await self._ask("GET", f"/api/v1/dialogs/{key.dialog_id}")
            await asyncio.sleep(EVERY_SECONDS)

    async def _look(self) -> None:
        status, body = await self._ask("GET", "/readyz")
        said = orjson.loads(body)["mode"] if status == 200 else str(status)
        if said != self.mode:
            self.modes.append((time.monotonic(), said))

    async def _ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        headers = {"X-Bot-Token": self.bot.token}
        try:
            async with self.bot.session.request(
                method, self.url + path, json=body, headers=headers
            ) as answer:
                raw = await answer.read()
        except (aiohttp.ClientError, OSError):
            self.statuses[0, False] += 1
            return 0, b""
        self.statuses[answer.status, "Retry-After" in answer.headers] += 1
        return answer.status, raw
