import asyncio
from uuid import UUID, uuid4

import pytest

from generated.errors import Overloaded
from impl.text_reply.once import Once


class Maker:
    """Makes "answer 1", "answer 2", … when it is let go."""

    def __init__(self, *, free: bool = True) -> None:
        self.made = 0
        self.started = asyncio.Event()
        self.go = asyncio.Event()
        if free:
            self.go.set()

    async def __call__(self) -> str:
        self.made += 1
        self.started.set()
        number = self.made
        await self.go.wait()
        return f"answer {number}"


async def fail() -> str:
    raise LookupError("no answer")


async def test_a_repeated_key_gets_the_same_answer() -> None:
    once, make, key = Once[str](), Maker(), uuid4()

    assert [await once.answer(key, make), await once.answer(key, make)] == ["answer 1"] * 2
    assert await once.answer(uuid4(), make) == "answer 2"


async def test_concurrent_duplicates_share_one_attempt() -> None:
    once, make, key = Once[str](), Maker(free=False), uuid4()
    callers = [asyncio.create_task(once.answer(key, make)) for _ in range(20)]
    await make.started.wait()
    make.go.set()

    assert await asyncio.gather(*callers) == ["answer 1"] * 20
    assert make.made == 1


async def test_a_caller_that_goes_away_takes_the_answer_from_nobody() -> None:
    once, make, key = Once[str](), Maker(free=False), uuid4()
    first, second = (asyncio.create_task(once.answer(key, make)) for _ in range(2))
    await make.started.wait()
    first.cancel()
    make.go.set()

    assert await second == "answer 1"
    assert await once.answer(key, make) == "answer 1"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_failed_attempt_is_forgotten() -> None:
    once, key = Once[str](), uuid4()
    for _ in range(2):
        with pytest.raises(LookupError):
            await once.answer(key, fail)

    assert await once.answer(key, Maker()) == "answer 1"


async def test_the_least_recently_asked_answer_is_forgotten_first() -> None:
    once, make = Once[str](capacity=2), Maker()
    one, two, three = (UUID(int=number) for number in range(3))
    for key in (one, two, one, three):  # `one` was asked for after `two`
        await once.answer(key, make)

    assert await once.answer(one, make) == "answer 1"
    assert await once.answer(three, make) == "answer 3"
    assert await once.answer(two, make) == "answer 4"


async def test_too_many_under_way_is_overload_but_not_for_duplicates() -> None:
    once, make, key = Once[str](max_under_way=1), Maker(free=False), uuid4()
    callers = [asyncio.create_task(once.answer(key, make)) for _ in range(2)]
    await make.started.wait()

    with pytest.raises(Overloaded):
        await once.answer(uuid4(), make)

    make.go.set()
    assert await asyncio.gather(*callers) == ["answer 1"] * 2


async def test_closing_ends_what_is_under_way() -> None:
    once, make = Once[str](), Maker(free=False)
    caller = asyncio.create_task(once.answer(uuid4(), make))
    await make.started.wait()

    await once.close()

    with pytest.raises(asyncio.CancelledError):
        await caller
