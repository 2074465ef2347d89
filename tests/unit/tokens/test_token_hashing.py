import time

from impl.tokens import hashing
from impl.tokens.hashing import DUMMY_HASH, hash_token, matches


async def test_a_hash_matches_its_own_text_only() -> None:
    stored = await hash_token("one")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await matches(stored, "one")
    assert not await matches(stored, "two")
    assert await hash_token("one") != stored, "every hash has a salt of its own"


async def test_what_is_no_hash_matches_nothing() -> None:
    for stored in ("", "one", "$argon2id$v=19$", "é"):
        assert not await matches(stored, "one")


def test_the_dummy_costs_what_a_real_one_costs() -> None:
    assert not hashing._hasher.check_needs_rehash(DUMMY_HASH)


async def test_hashing_leaves_the_event_loop_free() -> None:
    import asyncio

    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - began)

    ticking = asyncio.create_task(tick())
    began = time.perf_counter()
    await asyncio.gather(*(hash_token("x") for _ in range(20)))
    took = time.perf_counter() - began
    ticking.cancel()
    assert longest < took / 2
