import asyncio
import os
import sys
import threading

import pytest

from impl.tokens import hashing
from impl.tokens.hashing import DUMMY_HASH, hash_token, matches
from tests.patience import PATIENT_SECONDS


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


class SlowHasher:
    """Works until the event loop, which must go on meanwhile, lets it end."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def hash(self, text: str) -> str:
        assert self.let_go.wait(PATIENT_SECONDS)
        return text

    def verify(self, _stored: str, text: str) -> bool:
        return bool(self.hash(text))


async def test_hashing_leaves_the_event_loop_free(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SlowHasher()
    monkeypatch.setattr(hashing, "_hasher", slow)
    working = asyncio.gather(hash_token("x"), matches("x", "x"))
    await asyncio.sleep(0)
    slow.let_go.set()
    assert tuple(await working) == ("x", True)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process has one niceness")
def test_hashes_give_way_to_requests() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    within = hashing._threads.submit(niceness).result()
    assert within == min(niceness() + hashing.NICENESS, 19)
