"""Answers that go on: sent as they come, and closed however they end."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest
from starlette.types import Message, Scope

from generated.core.events import StreamPluginEvents200
from generated.runtime import streams
from generated.runtime.streams import ABORT
from tests.unit.runtime.service import GOOD, Service

PATH = "/api/v1/plugins/events/stream"
END_SECONDS = 10.0  # only what is broken gets there


@dataclass
class Chunks:
    """Tells `told`, then goes on for ever, fails or ends."""

    told: Iterable[bytes] = (b"one", b"two")
    then: Exception | None = None
    for_ever: bool = False
    closed: int = 0

    def __post_init__(self) -> None:
        self._rest = iter(self.told)

    def __aiter__(self) -> "Chunks":
        return self

    async def __anext__(self) -> bytes:
        for chunk in self._rest:
            return chunk
        if self.for_ever:
            await asyncio.Event().wait()
        raise self.then or StopAsyncIteration

    async def aclose(self) -> None:
        self.closed += 1


@dataclass
class Client:
    """Somebody who is told; `takes` says of a message whether it is taken at once."""

    service: Service
    takes: Callable[[Message], bool] = lambda _: True
    sent: list[Message] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    stuck: asyncio.Event = field(default_factory=asyncio.Event)
    aborted: bool = False
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, chunks: Chunks) -> None:
        self.service.handlers.outcome = StreamPluginEvents200(body=chunks)
        self.service.authenticator.scopes = frozenset({"telemetry:read"})
        scope: Scope = {
            "type": "http", "method": "GET", "path": PATH, "raw_path": PATH.encode(),
            "root_path": "", "query_string": b"", "headers": [(b"x-admin-key", GOOD.encode())],
            "extensions": {ABORT: self.abort},
        }  # fmt: skip
        async with asyncio.timeout(END_SECONDS):
            await self.service.app(scope, self.receive, self.send)

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if not self.takes(message):
            self.stuck.set()
            await asyncio.Event().wait()
        self.sent.append(message)
        self._came.set()

    async def has(self, number: int) -> None:
        async with asyncio.timeout(END_SECONDS):
            while len(self.sent) < number:
                self._came.clear()
                await self._came.wait()

    def abort(self) -> None:
        self.aborted = True
        self.gone.set()


async def test_each_chunk_is_sent_as_it_comes_and_the_answer_ends(service: Service) -> None:
    chunks, client = Chunks(), Client(service)
    await client.ask(chunks)
    start, *rest = client.sent
    headers = dict(start["headers"])
    assert (start["status"], headers[b"content-type"]) == (200, b"text/event-stream")
    assert b"content-length" not in headers
    assert [(each["body"], each.get("more_body", False)) for each in rest] == [
        (b"one", True),
        (b"two", True),
        (b"", False),
    ]
    assert chunks.closed
    assert service.observer.answers == [("streamPluginEvents", 200, None)]


async def test_it_is_told_when_it_begins(service: Service) -> None:
    client = Client(service)
    task = asyncio.create_task(client.ask(Chunks(for_ever=True)))
    await client.has(3)
    assert service.observer.answers == [("streamPluginEvents", 200, None)]
    client.gone.set()
    await task


async def test_who_leaves_frees_it(service: Service) -> None:
    others = asyncio.all_tasks()  # this one, and what other tests' servers have not ended yet
    chunks, client = Chunks(for_ever=True), Client(service)
    task = asyncio.create_task(client.ask(chunks))
    await client.has(3)
    before = chunks.closed
    client.gone.set()
    await task
    assert (before, chunks.closed) == (0, 1)
    assert asyncio.all_tasks() <= others


async def test_who_takes_nothing_is_cut_off(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SEND_SECONDS", 0.01)
    chunks, client = Chunks(), Client(service, lambda message: message.get("body") != b"two")
    await client.ask(chunks)
    assert client.aborted
    assert chunks.closed
    assert service.observer.failures == []


async def test_a_mistake_of_ours_breaks_it_off_and_is_told(service: Service) -> None:
    mistake = ValueError("ours")
    chunks, client = Chunks(then=mistake), Client(service)
    with pytest.raises(ValueError, match="ours"):
        await client.ask(chunks)
    assert client.sent[-1]["more_body"]  # no end that looks like one
    assert service.observer.failures == [("streamPluginEvents", mistake)]
    assert chunks.closed


async def test_it_is_closed_where_the_server_stops_before_it_began(service: Service) -> None:
    chunks, client = Chunks(), Client(service, lambda message: "status" not in message)
    task = asyncio.create_task(client.ask(chunks))
    await client.stuck.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert chunks.closed
