"""Readiness is never refused, so it must not cost what others need."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from generated.errors import DatabaseUnavailable
from impl.service import ServiceHandlers


class Pool:
    """Each who takes a connection waits until `go_on`; the first is then told `says`."""

    def __init__(self) -> None:
        self.taken = 0
        self.says: list[int] = []
        self.go_on = asyncio.Event()

    @asynccontextmanager
    async def acquire(self, **_: object) -> AsyncIterator["Pool"]:
        self.taken += 1
        yield self

    async def fetchval(self, *_: object, **__: object) -> int:
        await self.go_on.wait()
        return self.says.pop(0)


class Gate:
    redis: Any = type("Redis", (), {"ping": None})

    async def ask(self, _question: object) -> None: ...


class Mode:
    degraded = False


def handlers(pool: Pool) -> ServiceHandlers:
    return ServiceHandlers(cast("Any", pool), cast("Any", Gate()), cast("Any", Mode()), None)


async def test_all_who_probe_meanwhile_take_one_connection() -> None:
    pool = Pool()
    service, pool.says = handlers(pool), [1, 1]
    asked = [asyncio.create_task(service.get_readiness()) for _ in range(50)]
    await asyncio.sleep(0)
    asked[0].cancel()  # one who leaves takes nobody's answer away
    pool.go_on.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert pool.taken == 1
    assert isinstance(answers[0], asyncio.CancelledError)
    assert {cast("Any", answer).status for answer in answers[1:]} == {200}
    assert (await service.get_readiness()).status == 200  # whoever comes later asks anew
    assert pool.taken == 2


async def test_a_failure_is_told_to_all_and_not_kept() -> None:
    pool = Pool()
    service, pool.says = handlers(pool), [0, 1]
    pool.go_on.set()
    both = await asyncio.gather(
        service.get_readiness(), service.get_readiness(), return_exceptions=True
    )
    assert [type(each) for each in both] == [DatabaseUnavailable] * 2
    assert (await service.get_readiness()).status == 200
