"""Wake-ups between processes: told together, passed on, and taken up again after a cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from impl.events import wire
from impl.events.wire import EVENTS, FEED, Wire
from tests.patience import PATIENT_SECONDS
from tests.wire import proxy_before


@asynccontextmanager
async def running(made: Wire) -> AsyncIterator[None]:
    task = asyncio.create_task(made.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def rung(bell: wire.Bell) -> bool:
    began = asyncio.get_running_loop().time()
    await bell.wait(PATIENT_SECONDS)
    return asyncio.get_running_loop().time() - began < PATIENT_SECONDS


async def test_what_one_tells_the_other_hears_once_for_all(database: str) -> None:
    one, other = Wire(database), Wire(database)
    bell, further = other.bell(EVENTS), other.bell(FEED)
    heard: list[str] = []
    ended = asyncio.Event()

    def hear(_connection: object, _backend: int, channel: str, _payload: str) -> None:
        heard.append(channel)
        if channel == FEED:
            ended.set()

    listener = await asyncpg.connect(database)
    await listener.add_listener(EVENTS, hear)
    await listener.add_listener(FEED, hear)
    async with running(one), running(other):
        assert await rung(bell)  # they listen: each rings its own bells then
        assert await rung(further)
        for _ in range(500):
            one.tell(EVENTS)
        assert await rung(bell)
        one.tell(FEED)
        assert await rung(further)
        async with asyncio.timeout(PATIENT_SECONDS):
            await ended.wait()
    await listener.close()
    assert heard.count(EVENTS) in {1, 2}, "one for all, or what came first and then the rest"
    assert heard.count(FEED) == 1


async def test_it_tells_again_once_the_database_is_back(database: str) -> None:
    async with proxy_before(database) as proxy:
        one, other = Wire(proxy.dsn), Wire(database)
        bell = other.bell(EVENTS)
        async with running(one), running(other):
            assert await rung(bell)
            one.tell(EVENTS)
            assert await rung(bell)
            proxy.cut()
            one.tell(EVENTS)  # it is lost, or told when the line is back
            proxy.mend()
            async with asyncio.timeout(PATIENT_SECONDS):
                while not bell._rung.is_set():
                    one.tell(EVENTS)
                    await asyncio.sleep(0.01)
