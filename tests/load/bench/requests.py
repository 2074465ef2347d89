"""A closed loop: so many connections, each of which asks again as soon as it is answered.

On bare sockets (tests/load/clients.py), in a uvloop of its own thread: it costs the machine some
50 µs a request, where the core takes a millisecond.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any, TypeAlias
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

from tests.faults.errors import CannotRunError
from tests.load.clients import Connection
from tests.load.overload import quickly

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """`{uuid}` in the path is another each time; `body` is asked for each one."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Callable[[], Json] | None = None

    def __call__(self) -> bytes:
        content = orjson.dumps(self.body()) if self.body else b""
        lines = [
            f"{self.method} {self.path.replace('{uuid}', str(uuid4()))} HTTP/1.1", "Host: bench",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]  # fmt: skip
        if content:
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def message_of(user_id: str) -> Json:
    return {"user_id": user_id, "payload": {"type": "text", "text": "Hello!"}}


def messages_of(token: str, user_id: str) -> Request:
    """Each in a dialog of its own."""
    body, headers = message_of(user_id), {"X-Bot-Token": token}
    return Request("POST", "/api/v1/dialogs/{uuid}/messages", headers, lambda: body)


@dataclass
class Answers:
    """What became of the requests of `seconds`; `took` in milliseconds."""

    seconds: float = 0.0
    took: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def a_second(self) -> float:
        return len(self.took) / self.seconds

    def at(self, percent: int) -> float:
        return quantiles(self.took, n=100)[percent - 1]


async def closed_loop(
    url: str,
    request: Callable[[], bytes],
    connections: int,
    *,
    seconds: float = 600.0,
    most: int | None = None,
) -> Answers:
    """Ends after so many seconds or requests. Raises CannotRunError where one is not answered 200.

    Runs in a thread of its own, so that it delays nobody here and nobody here delays it.
    """
    port = urlsplit(url).port or 0
    return await quickly(_closed_loop(port, request, connections, seconds, most))


async def _closed_loop(
    port: int, request: Callable[[], bytes], connections: int, seconds: float, most: int | None
) -> Answers:
    loop = asyncio.get_running_loop()
    answers, all_done = Answers(), loop.create_future()
    began, left = time.perf_counter(), most

    def answered(connection: Connection, status: int) -> None:
        if all_done.done():
            return
        now = time.perf_counter()
        answers.statuses[status] += 1
        answers.took.append((now - connection.due) * 1000)
        if status != 200:
            all_done.set_exception(CannotRunError(f"answered {status or 'nothing'}, not 200"))
        elif now - began >= seconds or len(answers.took) == most:
            answers.seconds = now - began
            all_done.set_result(None)
        else:
            ask(connection, now)

    def ask(connection: Connection, now: float) -> None:
        nonlocal left
        if left is not None:
            left -= 1
        if left is None or left >= 0:
            connection.ask(request(), now)

    made = []
    try:
        for _ in range(connections):
            _, connection = await loop.create_connection(
                lambda: Connection(answered), "127.0.0.1", port
            )
            made.append(connection)
            ask(connection, time.perf_counter())
        await all_done
    finally:
        for connection in made:
            connection.close()
        await asyncio.sleep(0)
    return answers
