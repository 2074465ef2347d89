"""What the verifier does when its database is slow, broken, or not to be asked at all."""

import asyncio
from typing import Any

import pytest

from impl.tokens.format import mint
from impl.tokens.verifier import TokenVerifier, VerifierOverloaded


class Stuck:
    """A database that does not answer until it is let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def fetchrow(self, *_: Any) -> None:
        await self.go.wait()


async def test_beyond_the_bound_a_new_token_is_told_so_at_once() -> None:
    stuck = Stuck()
    verifier = TokenVerifier(stuck, ttl_seconds=30, max_waiting=3)
    texts = [mint("bot").plaintext for _ in range(3)]
    waiting = [asyncio.create_task(verifier.verify(text, "bot")) for text in texts]
    joined = asyncio.create_task(verifier.verify(texts[0], "bot"))
    await asyncio.sleep(0)
    with pytest.raises(VerifierOverloaded):
        await verifier.verify(mint("bot").plaintext, "bot")
    stuck.go.set()
    assert await asyncio.gather(*waiting, joined) == [None] * 4
    assert await verifier.verify(mint("bot").plaintext, "bot") is None


async def test_a_failing_database_is_the_callers_to_know() -> None:
    class Broken:
        async def fetchrow(self, *_: Any) -> None:
            raise ConnectionRefusedError

    verifier = TokenVerifier(Broken(), ttl_seconds=30)
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            await verifier.verify(mint("bot").plaintext, "bot")


async def test_what_is_malformed_never_reaches_the_database() -> None:
    verifier = TokenVerifier(None, ttl_seconds=30)  # any use of it would raise
    good = mint("bot").plaintext
    tampered = good[:-1] + ("0" if good[-1] != "0" else "1")
    for text in (tampered, "", "Bearer", good + " ", "\udc80"):
        assert await verifier.verify(text, "bot") is None
