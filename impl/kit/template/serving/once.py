"""One answer for each invocation, however often it is asked for."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from .problems import Json, overloaded

MAX_REMEMBERED = 10_000  # answers, by their invocation_id
MAX_UNDER_WAY = 1_000


class Once:
    """One answer for each invocation_id, however often and at once it is asked for."""

    def __init__(self) -> None:
        self._done: OrderedDict[str, Json] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[Json]] = {}

    async def answer(self, key: str, make: Callable[[], Any], seconds: float) -> Json:
        if key in self._done:
            return self._done[key]
        task = self._under_way.get(key) or self._start(key, make)
        # The work goes on after the deadline: the core's next attempt finds it done.
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            raise overloaded("The answer is not ready within the deadline.")
        return task.result()

    def _start(self, key: str, make: Callable[[], Any]) -> asyncio.Task[Json]:
        if len(self._under_way) >= MAX_UNDER_WAY:
            raise overloaded("Too many calls are under way.")
        task = self._under_way[key] = asyncio.create_task(make())
        task.add_done_callback(lambda task: self._settle(key, task))
        return task

    def _settle(self, key: str, task: asyncio.Task[Json]) -> None:
        del self._under_way[key]
        if not task.cancelled() and task.exception() is None:  # what failed may be tried again
            self._done[key] = task.result()
            if len(self._done) > MAX_REMEMBERED:
                self._done.popitem(last=False)
