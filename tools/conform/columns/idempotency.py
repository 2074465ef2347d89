"""The same request again does nothing twice; another under its key is refused."""

import asyncio
from collections.abc import Iterator
from typing import Any

from tools.conform.answers import Answer
from tools.conform.client import Request
from tools.conform.codes import RECIPES, Try
from tools.conform.results import Results
from tools.contract import Json

COLUMN = "idempotency"
REPLAYED = "idempotency-replayed"
AT_ONCE = 8


async def run(case: Try, results: Results) -> None:
    promise: Json | None = case.operation.spec.get("x-idempotency")
    if promise is None:
        return
    good = await case.good()
    first, again = await case.send(good), await case.send(good)
    results.add(case.operation.id, COLUMN, "replay", _replay(promise, first, again))
    reused = await RECIPES[promise["reused"]](case)
    faults = [] if reused.code == promise["reused"] else [f"answered {reused}"]
    results.add(case.operation.id, COLUMN, "reuse", faults)
    results.add(case.operation.id, COLUMN, "race", await _race(case, promise))


def _replay(promise: Json, first: Answer, again: Answer) -> Iterator[str]:
    if first.status >= 300 or REPLAYED in first.headers:
        yield f"the first was answered {first}, {first.headers.get(REPLAYED)}"
    if again.status != first.status or again.headers.get(REPLAYED) != "true":
        yield f"the repeat was answered {again}, {again.headers.get(REPLAYED)}"
    if promise["replay"] == "equal" and again.content != first.content:
        yield "the repeat's body is another"


async def _race(case: Try, promise: Json) -> list[str]:
    """Many at once: one is the first, the others are replays or told to wait."""
    good: Request = await case.good()
    answers = await asyncio.gather(*(case.send(good) for _ in range(AT_ONCE)))
    firsts = [item for item in answers if item.status < 300 and REPLAYED not in item.headers]
    others: list[Any] = [item for item in answers if item not in firsts]
    faults = [] if len(firsts) == 1 else [f"{len(firsts)} of {AT_ONCE} were the first"]
    for item in others:
        waits = item.code is not None and item.code == promise.get("in_flight")
        if not waits and item.headers.get(REPLAYED) != "true":
            faults.append(f"one was answered {item}")
    final = await case.send(good)
    if promise["replay"] == "equal" and firsts and final.content != firsts[0].content:
        faults.append("the answer after the race is another")
    return faults
