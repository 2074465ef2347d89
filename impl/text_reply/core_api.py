"""The operations of the core's API that this plugin calls, and how it repeats a call."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import TypeVar
from uuid import uuid4

import aiohttp
from pydantic import BaseModel, ValidationError

from generated.models import (
    EventAckV1,
    HeartbeatAckV1,
    PluginEventV1,
    PluginHeartbeatRequestV1,
    PluginRegistrationRequestV1,
    PluginRegistrationResponseV1,
    Problem,
)
from generated.runtime import trace
from generated.runtime.edge import SCHEMA_VERSION

# The core probes us before it answers a registration, for two seconds by default.
TIMEOUT = aiohttp.ClientTimeout(total=10)

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0

Answer = TypeVar("Answer", bound=BaseModel)


class CoreUnavailableError(Exception):
    """No good answer now; the same request may fare better later."""


class CoreRefusedError(Exception):
    """The core answered 4xx, and will again."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail


def backoff() -> Iterator[float]:
    """Seconds before the next attempt: at first short, since core and plugin start together."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 1.5, LONGEST_PAUSE)


class CoreApi:
    """All calls raise CoreUnavailableError or CoreRefusedError, and begin a trace of their own."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._plugins = f"{url.rstrip('/')}/api/v1/plugins"

    async def register(
        self, request: PluginRegistrationRequestV1, registry_key: str
    ) -> PluginRegistrationResponseV1:
        headers = {"X-Registry-Key": registry_key}
        return await self._post("register", request, headers, PluginRegistrationResponseV1)

    async def heartbeat(self, request: PluginHeartbeatRequestV1, token: str) -> HeartbeatAckV1:
        headers = {"Authorization": f"Bearer {token}"}
        return await self._post(f"{request.plugin_id}/heartbeat", request, headers, HeartbeatAckV1)

    async def report(self, event: PluginEventV1, token: str) -> EventAckV1:
        headers = {"Authorization": f"Bearer {token}"}
        return await self._post(f"{event.plugin_id}/events", event, headers, EventAckV1)

    async def _post(
        self, path: str, body: BaseModel, headers: dict[str, str], answer: type[Answer]
    ) -> Answer:
        trace_id = str(uuid4())
        trace.enter(trace_id)
        try:
            async with self._session.post(
                f"{self._plugins}/{path}",
                data=body.model_dump_json().encode(),
                headers={
                    **headers,
                    "Content-Type": "application/json",
                    "X-Schema-Version": SCHEMA_VERSION,
                    "X-Trace-Id": trace_id,
                },
                allow_redirects=False,
                timeout=TIMEOUT,
            ) as response:
                return _read(response.status, await response.read(), answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CoreUnavailableError(type(error).__name__) from None


def _read(status: int, content: bytes, answer: type[Answer]) -> Answer:
    if status in (HTTPStatus.OK, HTTPStatus.CREATED):
        try:
            return answer.model_validate_json(content)
        except ValidationError:
            raise CoreUnavailableError("its answer breaks the contract") from None
    if 400 <= status < 500 and status != HTTPStatus.TOO_MANY_REQUESTS:
        raise _refusal(status, content)
    raise CoreUnavailableError(f"status {status}")


def _refusal(status: int, content: bytes) -> CoreRefusedError:
    try:
        problem = Problem.model_validate_json(content)
    except ValidationError:
        return CoreRefusedError(status, "unknown", "the answer is no problem of the contract")
    return CoreRefusedError(status, problem.code, problem.detail)
