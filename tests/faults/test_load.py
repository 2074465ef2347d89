"""The suite's own bots and balancer, before a server that does as a test tells it."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby

import aiohttp
import pytest
from aiohttp import web

from tests.faults.balancer import SILENT, Balancer, balancer
from tests.faults.bot import Bot
from tests.faults.errors import CannotRunError
from tests.faults.load import Load, under_load
from tests.faults.log import Key
from tests.faults.world import World

WAIT_SECONDS = 20.0
KEY = Key("d-1", "m-1")


@dataclass
class Server:
    """Answers each message's n-th attempt with the n-th of `answers`, and the last one after."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=lambda: [(200, {})])
    said: str = "accepted"
    keeps: bool = True
    ready: bool = True
    url: str = ""
    attempts: Counter[str] = field(default_factory=Counter)

    async def readyz(self, _request: web.Request) -> web.Response:
        return web.Response(status=200 if self.ready else 503)

    async def look(self, _request: web.Request) -> web.Response:
        status = 200 if self.keeps else 404
        return web.json_response({"status": self.said}, status=status)

    async def message(self, request: web.Request) -> web.Response:
        message_id = (await request.json())["message_id"]
        at = min(self.attempts[message_id], len(self.answers) - 1)
        self.attempts[message_id] += 1
        status, headers = self.answers[at]
        said = "queued" if status == 202 else self.said
        return web.json_response({"status": said}, status=status, headers=headers)


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    application = web.Application()
    application.router.add_get("/readyz", server.readyz)
    place = "/api/v1/dialogs/{dialog_id}/messages"
    application.router.add_post(place, server.message)
    application.router.add_get(place + "/{message_id}", server.look)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def load_on(url: str, patience: float = WAIT_SECONDS) -> AsyncIterator[Load]:
    async with aiohttp.ClientSession() as session:
        yield Load([Bot(session, "t")], [url], ["u-1"], 100, random.Random(1), patience)


async def test_a_message_is_repeated_under_its_key_until_it_is_answered() -> None:
    server = Server([(503, {"Retry-After": "0"}), (500, {}), (409, {}), (200, {})])
    async with serving(server), load_on(server.url) as load:
        async with under_load(load):
            await World.until(lambda: begun(load, 10), WAIT_SECONDS, "it began ten")
        log = load.bots[0].log
        assert set(server.attempts.values()) == {4}
        assert len(log.acknowledged) == len(log.keys) == load.begun == len(load.repeated)
        assert log.server_errors == {(503, True): load.begun, (500, False): load.begun}
        assert log.told[200] == load.begun
        assert load.faults() == []
        await load.replay(5)
        assert sum(server.attempts.values()) == 4 * load.begun + 5


async def test_an_answer_that_says_failed_is_named() -> None:
    server = Server(said="failed")
    async with serving(server), load_on(server.url) as load, under_load(load):
        await World.until(lambda: begun(load, 3), WAIT_SECONDS, "it began three")
    assert len(load.faults()) == load.begun
    assert "failed" in load.faults()[0]


@pytest.mark.parametrize(("keeps", "faults"), [(True, 0), (False, 1)])
async def test_what_is_queued_is_looked_for(keeps: bool, faults: int) -> None:
    server = Server([(202, {})], keeps=keeps)
    async with serving(server), load_on(server.url) as load, under_load(load):
        await World.until(lambda: begun(load, 3), WAIT_SECONDS, "it began three")
    assert set(server.attempts.values()) == {1}
    assert len(load.faults()) == load.begun * faults
    assert len(load.bots[0].log.final_bodies()) == load.begun * (1 - faults)


async def begun(load: Load, number: int) -> bool:
    return load.begun >= number


async def test_a_message_that_nobody_answers_is_given_up_and_named() -> None:
    server = Server([(503, {"Retry-After": "0"})])
    async with serving(server), load_on(server.url, 0.1) as load, under_load(load):
        await World.until(lambda: begun(load, 3), WAIT_SECONDS, "it began three")
    assert len(load.faults()) == load.begun
    assert "503" in load.faults()[0]


def test_too_few_messages_are_another_load() -> None:
    load = Load([], [], [], 100, random.Random(1), 1)
    load.keys, load.seconds = [KEY] * 90, 1.0
    load.require_rate()
    load.keys = [KEY] * 70
    with pytest.raises(CannotRunError, match="70 messages a second"):
        load.require_rate()


async def test_the_balancer_leaves_out_who_says_no_and_who_is_gone() -> None:
    first, second = Server(), Server()
    async with serving(second), balancer() as made:
        async with serving(first), load_on(made.url) as load:
            made.add(first.url)
            made.add(second.url)
            known = made.instance(first.url)
            await World.until(lambda: made.has_ready(2), WAIT_SECONDS, "both are in")
            load.bots[0].session.headers["Connection"] = "close"
            async with under_load(load):
                await World.until(lambda: both(first, second), WAIT_SECONDS, "both are asked")
            first.ready = False
            await World.until(lambda: says(made, 1), WAIT_SECONDS, "one is out")
            before, more = first.attempts.total(), load.begun + 10
            async with under_load(load):
                await World.until(lambda: begun(load, more), WAIT_SECONDS, "it began ten more")
            assert first.attempts.total() == before
        await World.until(lambda: gone(known.last), WAIT_SECONDS, "it is gone")
        await made.remove(second.url)
        assert made.turned_away == 0
    heard = [what for _, what in known.said if what != SILENT]  # a busy machine asks in vain
    assert [what for what, _ in groupby(heard)] == ["200", "503", "refused"]
    assert load.faults() == []


async def both(first: Server, second: Server) -> bool:
    return bool(first.attempts and second.attempts)


async def says(made: Balancer, number: int) -> bool:
    return len(made.ready) == number


async def gone(last: str) -> bool:
    return last == "refused"
