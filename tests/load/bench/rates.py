"""Heartbeats, events and messages: how many a second, by turns, at 16 connections.

The heartbeats are of 16 plugins: those of one would wait for one another at its row.
"""

from collections.abc import Callable, Mapping
from itertools import cycle
from statistics import median
from typing import Any
from uuid import UUID, uuid4

from impl.tokens.issue import issue
from tests.load.bench.alone import (
    Stage,
    heartbeats,
    stage,
    working,
)
from tests.load.bench.part import Part, Progress, Size
from tests.load.bench.requests import Json, Request, closed_loop
from tests.load.usage import processor_seconds

CONNECTIONS = 16
PROMISE = 3.0


async def _run(size: Size, progress: Progress) -> Mapping[str, Any]:
    rounds, seconds = (3, 1.0) if size.short else (5, 5.0)
    async with stage() as built, working(built.world):
        requests: dict[str, Callable[[], bytes]] = {
            "messages": built.messages(),
            "heartbeats": await _heartbeats(built),
            "events_in": await _events(built),
        }
        rates: dict[str, list[float]] = {name: [] for name in requests}
        costs: dict[str, list[float]] = {name: [] for name in requests}
        pid = built.core.child.pid
        for number in range(rounds + 1):
            for name, request in requests.items():
                before = processor_seconds(pid)
                answers = await closed_loop(built.core.url, request, CONNECTIONS, seconds=seconds)
                if number:  # the first one warms up
                    rates[name].append(answers.a_second)
                    spent = processor_seconds(pid) - before
                    costs[name].append(spent / len(answers.took) * 1000)
            if number:
                said = ", ".join(f"{each[-1]:.0f} {name}" for name, each in rates.items())
                progress(f"round {number} of {rounds}: {said} a second")
    ratio = median(
        beats / told for beats, told in zip(rates["heartbeats"], rates["messages"], strict=True)
    )
    return {
        "connections": CONNECTIONS,
        "a_second": {name: median(each) for name, each in rates.items()},
        "api_processor_ms": {name: median(each) for name, each in costs.items()},
        "heartbeats_to_messages": ratio,
        "kept": {"heartbeats_to_messages": ratio >= PROMISE},
    }


async def _heartbeats(built: Stage) -> Callable[[], bytes]:
    made = []
    for number in range(CONNECTIONS):
        done = await built.world.register(built.core, built.plugin_url, f"beating_{number}")
        made.append(heartbeats(done["plugin_id"], done["token"]))
    turns = cycle(made)
    return lambda: next(turns)()  # noqa: PLW0108  # another one each time


async def _events(built: Stage) -> Request:
    token = await issue(
        built.pool, "plugin", subject_id=UUID(built.plugin_id), scopes=["telemetry:write"]
    )

    def event() -> Json:
        return {
            "event_id": str(uuid4()),
            "plugin_id": built.plugin_id,
            "event_type": "plugin_custom_cache_emptied",
            "severity": "info",
            "payload": {"entries": 814},
            "occurred_at": "2024-02-29T10:15:30.123456Z",
        }

    path = f"/api/v1/plugins/{built.plugin_id}/events"
    return Request("POST", path, {"Authorization": f"Bearer {token.plaintext}"}, event)


RATES = Part("rates", "Heartbeats, events and messages, 16 connections", _run)
