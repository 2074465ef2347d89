"""A bot that notes everything it sends and is told."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

import aiohttp
import orjson

from tests.faults.log import Key, Log

GIVE_UP_SECONDS = 60
# What a bot is told to wait is a second; a suite that waits for thousands asks sooner.
PAUSE_SECONDS = 0.05


class Reply(NamedTuple):
    """`status` 0: no answer came, and `said` is empty."""

    status: int
    body: bytes
    said: dict[str, Any]
    headers: Mapping[str, str]
    milliseconds: float

    @property
    def is_final(self) -> bool:
        return self.status == 200 and self.said.get("status") in ("accepted", "failed")

    @property
    def retry_after(self) -> str | None:
        return self.headers.get("Retry-After")

    @property
    def code(self) -> str | None:
        """Why there is no answer: of a problem, or of the plugin's error."""
        error = self.said.get("error") or {}
        found = self.said.get("code") or error.get("code")
        return None if found is None else str(found)


@dataclass
class Bot:
    session: aiohttp.ClientSession
    token: str
    log: Log = field(default_factory=Log)

    async def say(self, url: str, key: Key, user_id: str, text: str, **headers: str) -> Reply:
        """One request, noted. Never raises for what the core does."""
        body = {"user_id": user_id, "message_id": key.message_id,
                "payload": {"type": "text", "text": text}}  # fmt: skip
        self.log.note(key, "invoke")
        reply = await self._send("POST", f"{url}/api/v1/dialogs/{key.dialog_id}/messages",
                                 data=orjson.dumps(body), **headers)  # fmt: skip
        self.log.note(key, kind_of(reply), reply.status, reply.body, reply.milliseconds,
                      retry_after=reply.retry_after)  # fmt: skip
        return reply

    async def settled(self, url: str, key: Key, user_id: str, text: str, seconds: float) -> Reply:
        """Repeats the message until its answer is final or `seconds` are over; the last reply."""
        ends = time.monotonic() + seconds
        while True:
            reply = await self.say(url, key, user_id, text)
            if reply.is_final or time.monotonic() > ends:
                return reply
            await asyncio.sleep(PAUSE_SECONDS)

    async def read(self, url: str, key: Key) -> Reply:
        """GET of the message, which changes nothing and is not noted."""
        place = f"{url}/api/v1/dialogs/{key.dialog_id}/messages/{key.message_id}"
        return await self._send("GET", place)

    async def user(self, url: str, number: int) -> str:
        body = {"telegram_id": number, "display_name": "Ada", "locale": "en"}
        reply = await self._send("POST", f"{url}/api/v1/users", data=orjson.dumps(body))
        return str(reply.said["user_id"])

    async def _send(
        self, method: str, url: str, data: bytes | None = None, **headers: str
    ) -> Reply:
        ours = {"X-Bot-Token": self.token, "Content-Type": "application/json", **headers}
        started = time.monotonic()
        try:
            async with (
                asyncio.timeout(GIVE_UP_SECONDS),
                self.session.request(method, url, data=data, headers=ours) as response,
            ):
                raw = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return Reply(0, b"", {}, {}, (time.monotonic() - started) * 1000)
        milliseconds = (time.monotonic() - started) * 1000
        return Reply(response.status, raw, _object(raw), response.headers, milliseconds)


def kind_of(reply: Reply) -> Any:
    """`ok`, `fail` or `unknown`, as the log has it.

    A 5xx is unknown: an instance that stops answers so, and leaves the call to a worker.
    """
    if reply.status in (200, 202):
        return "ok"
    return "fail" if 400 <= reply.status < 500 else "unknown"


def new_key(message_id: str) -> Key:
    """A message of a dialog of its own."""
    return Key(str(uuid4()), message_id)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
