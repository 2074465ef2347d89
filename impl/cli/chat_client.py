"""A bot's side of the REST API: what any chat front end has to do, in short."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import aiohttp

ATTEMPTS = 5
ANSWER_SECONDS = 30.0  # a request
QUEUED_SECONDS = 60.0  # an answer that comes later
# The same message_id again is harmless, and these answers say that it helps.
PASSING = {409: ("message_in_flight",), 429: (), 503: ()}

Json = dict[str, Any]


@dataclass
class Problem(Exception):  # noqa: N818 - the API's own word
    """What the API refused, in its words."""

    status: int
    title: str
    detail: str
    trace_id: str
    code: str = ""
    retry_after: float | None = None

    @property
    def passes(self) -> bool:
        codes = PASSING.get(self.status)
        return codes is not None and (not codes or self.code in codes)


class Unreachable(Exception):  # noqa: N818 - a state
    """Nobody answers at the URL, after several attempts."""


class Client:
    def __init__(self, url: str, token: str, *, pause_seconds: float = 0.5) -> None:
        self._url = url.rstrip("/")
        self._headers = {"X-Bot-Token": token}
        self._pause = pause_seconds
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers=self._headers, timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def upsert_user(self, telegram_id: int, display_name: str, locale: str) -> str:
        user = {
            "telegram_id": telegram_id,
            "display_name": display_name,
            "locale": locale,
            "metadata": {"source": "terminal"},
        }
        answer = await self._request("POST", "/api/v1/users", user)
        return str(answer["user_id"])

    async def say(self, dialog_id: str, user_id: str, text: str) -> Json:
        """Return the answer, waited for where it comes later.

        However often it is sent, it is one message: every attempt has the same message_id.
        """
        message_id = str(uuid4())
        messages = f"/api/v1/dialogs/{dialog_id}/messages"
        message = {
            "user_id": user_id,
            "message_id": message_id,
            "payload": {"type": "text", "text": text},
        }
        answer = await self._request("POST", messages, message)
        return await self._until_answered(answer, f"{messages}/{message_id}")

    async def _until_answered(self, answer: Json, path: str) -> Json:
        try:
            async with asyncio.timeout(QUEUED_SECONDS):
                while answer["status"] == "queued":
                    await asyncio.sleep(self._pause)
                    answer = await self._request("GET", path)
        except TimeoutError:
            pass  # still queued, and the answer says so
        return answer

    async def _request(self, method: str, path: str, body: Json | None = None) -> Json:
        for attempt in range(ATTEMPTS):
            pause = self._pause * 2**attempt
            last = attempt + 1 == ATTEMPTS
            try:
                return await self._once(method, path, body)
            except Problem as problem:
                if last or not problem.passes:
                    raise
                pause = problem.retry_after or pause
            except (aiohttp.ClientConnectionError, TimeoutError) as error:
                if last:
                    raise Unreachable(
                        f"{self._url}: {str(error) or 'no answer in time'}"
                    ) from error
            await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, method: str, path: str, body: Json | None) -> Json:
        if self._session is None:
            raise RuntimeError("use `async with`")
        # Nobody but this URL is given the token.
        async with self._session.request(
            method, self._url + path, json=body, allow_redirects=False
        ) as response:
            try:
                answer = await response.json(content_type=None)
            except ValueError:
                answer = None
            if not response.ok or response.status >= 300 or not isinstance(answer, dict):
                raise _problem(response.status, answer, response.headers)
            return answer


def _problem(status: int, answer: object, headers: Mapping[str, str]) -> Problem:
    given = answer if isinstance(answer, dict) else {}
    retry_after = headers.get("Retry-After", "")
    return Problem(
        status,
        str(given.get("title", f"HTTP status {status}")),
        str(given.get("detail", "the answer is none of botcore's")),
        str(given.get("trace_id", headers.get("X-Trace-Id", "unknown"))),
        str(given.get("code", "")),
        min(float(retry_after), 30.0) if retry_after.isdecimal() else None,
    )
