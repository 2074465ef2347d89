"""Who is under way, and who of them is at work."""

import asyncio

from impl.overload.load import Load, Slot, elsewhere, enter


async def test_who_waits_for_others_is_under_way_and_not_at_work() -> None:
    load = Load()
    slot = Slot(load)
    enter(slot)
    assert (load.requests, load.working) == (1, 1)
    with elsewhere():
        assert (load.requests, load.working) == (1, 0)
        with elsewhere():  # two calls at once are one wait
            assert load.working == 0
        assert load.working == 0
    assert load.working == 1
    slot.end()
    assert (load.requests, load.working) == (0, 0)


async def test_who_ends_meanwhile_leaves_nothing_behind() -> None:
    load, go_on = Load(), asyncio.Event()
    slot = Slot(load)
    enter(slot)

    async def call() -> None:
        with elsewhere():
            await go_on.wait()

    outlives = asyncio.create_task(call())
    await asyncio.sleep(0)
    slot.end()
    assert (load.requests, load.working) == (0, 0)
    go_on.set()
    await outlives
    assert (load.requests, load.working) == (0, 0)
    with elsewhere():
        assert (load.requests, load.working) == (0, 0)


async def test_beyond_any_request_it_says_nothing() -> None:
    async def work() -> None:
        with elsewhere():
            pass

    await asyncio.create_task(work())
