"""Sends requests to the deployment, and holds every answer against the contract."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import aiohttp

from tools.conform.answers import Answer, Promise
from tools.contract import Json, Operation

TIMEOUT = aiohttp.ClientTimeout(total=30)
# Less than servers keep an idle connection: one that they close meanwhile is no fault of theirs.
KEPT_SECONDS = 2.0
# What stays behind unless it is taken away: its id, out of the answer.
MAKERS: dict[str, Callable[[Any], Any]] = {
    "createBot": lambda made: made["bot"]["id"],
    "createSubscription": lambda made: made["subscription"]["id"],
    "registerPlugin": lambda made: made["plugin_id"],
    "setLimit": lambda made: (made["subject"], made["subject_id"]),
}


class NotThereError(Exception):
    """The deployment does not answer at all."""


def open_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(keepalive_timeout=KEPT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


@dataclass(frozen=True)
class Request:
    """A request that is good as it is; a case changes one thing of it.

    `credentials` are by security scheme. `raw` stands in for `body` where it is given.
    """

    operation: Operation
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    credentials: dict[str, str] = field(default_factory=dict)
    body: Any = None
    raw: bytes | None = None
    method: str | None = None

    def but(self, **changes: Any) -> "Request":
        return replace(self, **changes)

    def with_body(self, **members: Any) -> "Request":
        return replace(self, body={**self.body, **members})


@dataclass
class Client:
    url: str
    schemes: Json
    session: aiohttp.ClientSession
    # Of each operation what was wrong with its answers, and the statuses that it gave.
    header_faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    body_faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    seen: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    # The ids of what any request made, by operation.
    made: dict[str, set[Any]] = field(default_factory=lambda: defaultdict(set))
    _promises: dict[str, Promise] = field(default_factory=dict)

    async def send(self, request: Request) -> Answer:
        """The answer, noted. Raises NotThereError."""
        answer = await self._send(request)
        operation = request.operation
        promise = self._promises.setdefault(operation.id, Promise(operation))
        self.seen[operation.id].add(answer.status)
        if operation.id in MAKERS and answer.status < 300:
            self.made[operation.id].add(MAKERS[operation.id](answer.json))
        self.header_faults[operation.id] += promise.header_faults(answer)
        self.body_faults[operation.id] += promise.body_faults(answer)
        sent = request.headers.get("X-Trace-Id")
        if sent is not None and answer.headers.get("x-trace-id") != sent:
            self.header_faults[operation.id].append("x-trace-id is not the one that was sent")
        return answer

    async def _send(self, request: Request) -> Answer:
        path = request.operation.path.format(**request.path)
        data = request.raw
        headers = {"X-Trace-Id": str(uuid4()), **self._credentials(request), **request.headers}
        if data is None and request.body is not None:
            data = json.dumps(request.body).encode()
        if data is not None:
            headers.setdefault("Content-Type", "application/json")
        method = request.method or request.operation.method.upper()
        try:
            async with self.session.request(
                method, self.url + path, params=request.query, headers=headers, data=data,
                allow_redirects=False, skip_auto_headers=("Content-Type",),
            ) as response:  # fmt: skip
                found = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, found, await response.read())
        except (TimeoutError, aiohttp.ClientError) as error:
            raise NotThereError(f"{method} {path}: {type(error).__name__}: {error}") from error

    def _credentials(self, request: Request) -> dict[str, str]:
        headers = {}
        for scheme, credential in request.credentials.items():
            spec = self.schemes[scheme]
            if spec["type"] == "apiKey":
                headers[spec["name"]] = credential
            else:
                headers["Authorization"] = f"Bearer {credential}"
        return headers
