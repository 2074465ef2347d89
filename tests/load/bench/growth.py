"""What a message costs as the tables grow.

One database for each size, all in one PostgreSQL, each with a core of its own, asked by turns. The
messages come in the same number of dialogs everywhere: how much of the tables fits into memory is
the machine's matter. No worker runs beside, nor autovacuum: both would come when they like.
"""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import cycle
from statistics import median
from typing import Any

from tests.faults.errors import CannotRunError
from tests.load.bench.alone import (
    Stage,
    servers,
    servers_on_disk,
    stage,
)
from tests.load.bench.filling import fill, some_dialogs
from tests.load.bench.part import Part, Progress, Size
from tests.load.bench.requests import Request, closed_loop
from tests.load.usage import postmaster, processor_seconds

PROMISE = 1.15
CONNECTIONS = 4
BYTES_A_MESSAGE = 2500  # with all that belongs to it, and what is written on the way
SIZES_SHORT, SIZES = (10**3, 10**5), (10**3, 10**5, 10**7)


@dataclass
class _Sized:
    built: Stage
    request: Callable[[], bytes]
    api_ms: list[float] = field(default_factory=list)
    database_ms: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)

    @property
    def processor_ms(self) -> list[float]:
        return [sum(each) for each in zip(self.api_ms, self.database_ms, strict=True)]


async def _run(size: Size, progress: Progress) -> Mapping[str, Any]:
    sizes, rounds, messages = (SIZES_SHORT, 3, 250) if size.short else (SIZES, 7, 1000)
    _see_room(sizes[-1] * BYTES_A_MESSAGE)
    found: dict[int, _Sized] = {}
    async with AsyncExitStack() as stack:
        kept = servers if size.short else servers_on_disk
        made = await stack.enter_async_context(kept(autovacuum="off", max_wal_size="4GB"))
        for stored in sizes:
            built = await stack.enter_async_context(stage(made))
            await fill(built.pool, built.user_id, stored, progress)
            found[stored] = _Sized(built, await _messages(built))
        pid = await postmaster(found[sizes[0]].built.pool)
        for number in range(rounds + 1):
            for one in found.values():
                await _round(one, pid, messages, note=number > 0)
            progress(f"round {number} of {rounds}")
    least, most = found[sizes[0]], found[sizes[-1]]
    ratios = {
        "processor": _ratio(most.processor_ms, least.processor_ms),
        "p50": _ratio(most.p50_ms, least.p50_ms),
    }
    return {
        "connections": CONNECTIONS,
        **{
            str(stored): {
                "processor_ms": median(one.processor_ms),
                "of_it_database_ms": median(one.database_ms),
                "p50_ms": median(one.p50_ms),
            }
            for stored, one in found.items()
        },
        "most_to_least": ratios,
        "kept": {f"growth_{name}": ratio <= PROMISE for name, ratio in ratios.items()},
    }


def _see_room(needed: int) -> None:
    place = tempfile.gettempdir()
    free = shutil.disk_usage(place).free
    if free < needed:
        raise CannotRunError(f"{place} has {free >> 20} MiB left, of {needed >> 20} that it takes")


async def _messages(built: Stage) -> Callable[[], bytes]:
    """In some of the dialogs that are stored, by turns."""
    turns = cycle([
        Request("POST", f"/api/v1/dialogs/{dialog}/messages", built.bot_headers, built.message)
        for dialog in await some_dialogs(built.pool)
    ])  # fmt: skip
    return lambda: next(turns)()  # noqa: PLW0108  # another one each time


async def _round(one: _Sized, database: int, messages: int, *, note: bool) -> None:
    core = one.built.core
    api_before, database_before = processor_seconds(core.child.pid), processor_seconds(database)
    answers = await closed_loop(core.url, one.request, CONNECTIONS, most=messages)
    if note:  # the first one warms up
        spent = processor_seconds(database) - database_before
        one.database_ms.append(spent / messages * 1000)
        one.api_ms.append((processor_seconds(core.child.pid) - api_before) / messages * 1000)
        one.p50_ms.append(answers.at(50))


def _ratio(most: list[float], least: list[float]) -> float:
    """Round by round: what else the machine does meets both."""
    return median(one / other for one, other in zip(most, least, strict=True))


GROWTH = Part("growth", "A message as the tables grow", _run)
