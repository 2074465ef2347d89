"""The routing table of an instance follows the database, and never goes back."""

import asyncio
from typing import Any
from uuid import uuid4

from impl.plugins.catalogue import Catalogue


def row(name: str) -> tuple[Any, ...]:
    return (uuid4(), name, "1.0.0", "http://127.0.0.1:1", [], "active", "0" * 64, "v1alpha",
            None, True, False)  # fmt: skip


class SlowPool:
    """Holds the answer to the first query back until it is let go."""

    def __init__(self, *answers: list[tuple[Any, ...]]) -> None:
        self.answers = list(answers)
        self.asked, self.let_go = asyncio.Event(), asyncio.Event()

    async def fetch(self, _query: str) -> list[tuple[Any, ...]]:
        answer = self.answers.pop(0)
        if not self.asked.is_set():
            self.asked.set()
            await self.let_go.wait()
        return answer


async def test_an_answer_that_comes_late_does_not_undo_a_change() -> None:
    """The loop reads, somebody registers a plugin, and the loop's answer comes after that."""
    pool = SlowPool([], [row("text_reply")])
    catalogue = Catalogue(pool, "text_reply")  # type: ignore[arg-type]  # a stand-in
    loop = asyncio.create_task(catalogue.refresh())
    await pool.asked.wait()
    registered = asyncio.create_task(catalogue.refresh())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    pool.let_go.set()
    await asyncio.gather(loop, registered)
    fallback = (await catalogue.table()).fallback
    assert fallback is not None
    assert fallback.name == "text_reply"
