"""One answer for each key, however often and however concurrently it is asked for."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

from generated.errors import Overloaded

Answer = TypeVar("Answer")


class Once(Generic[Answer]):
    """Remembers the latest `capacity` answers; an attempt that fails is forgotten."""

    def __init__(self, *, capacity: int = 10_000, max_under_way: int = 1_000) -> None:
        self._capacity = capacity
        self._max_under_way = max_under_way
        self._answers: OrderedDict[UUID, Answer] = OrderedDict()
        self._under_way: dict[UUID, asyncio.Task[Answer]] = {}

    async def answer(self, key: UUID, make: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        """The answer of `key`, made where there is none. Raises Overloaded, or what `make` does."""
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        task = self._under_way.get(key) or self._start(key, make)
        # A caller that goes away takes the answer from nobody else.
        return await asyncio.shield(task)

    async def close(self) -> None:
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(
        self, key: UUID, make: Callable[[], Coroutine[Any, Any, Answer]]
    ) -> asyncio.Task[Answer]:
        if len(self._under_way) >= self._max_under_way:
            raise Overloaded
        task = asyncio.create_task(make(), name=f"answer {key}")
        self._under_way[key] = task
        task.add_done_callback(partial(self._settle, key))
        return task

    def _settle(self, key: UUID, task: asyncio.Task[Answer]) -> None:
        del self._under_way[key]
        if task.cancelled() or task.exception() is not None:
            return
        self._answers[key] = task.result()
        if len(self._answers) > self._capacity:
            self._answers.popitem(last=False)
