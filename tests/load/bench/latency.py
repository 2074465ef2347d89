"""At 100 messages a second, come what may: the core's own time beside the floor's, and the
specification's scenario."""

from collections.abc import Callable, Mapping
from itertools import count
from statistics import median, quantiles
from typing import Any
from uuid import uuid4

import orjson

from tests.faults.errors import CannotRunError
from tests.load.bench.part import Part, Progress, Size
from tests.load.bench.stage import Stage, port_of, stage
from tests.load.clients import Clients
from tests.load.overload import quickly

RATE = 100.0
AT_MOST = 1.5  # times the floor's
# Requirements, section 7: of the core, without the plugin's own time.
MEDIAN_MS, P95_MS = 500, 1500
DIALOGS, PLUGIN_MS = 50, 100

Requests = Callable[[], bytes]


async def run(size: Size, progress: Progress) -> Mapping[str, Any]:
    rounds, seconds = (3, 3) if size.short else (5, 10)
    took: dict[str, list[list[float]]] = {"plugin": [], "floor": [], "core": []}
    async with stage("core", "floor") as made:
        ports = {name: port_of(system.url) for name, system in made.systems.items()}
        ports["plugin"] = port_of(made.plugin.url)
        send = {"plugin": _calls(), "core": messages(made), "floor": messages(made)}
        for number in range(rounds + 1):
            for name, port in ports.items():
                asked_directly = name == "plugin"
                lasts = seconds if number and not asked_directly else 1
                served = await at_rate(port, send[name], lasts)
                if number:  # the first one warms up
                    took[name].append(served)
        told = ", ".join(f"{name} {p50(found):.2f} ms" for name, found in took.items())
        progress(f"p50 at {RATE:.0f}/s: {told}")
        scenario = await _scenario(made, 5 if size.short else 60)
        progress(f"the specification's scenario: p95 {scenario['own_p95_ms']:.0f} ms")
    return _figures(took, scenario)


def _figures(took: Mapping[str, list[list[float]]], scenario: Mapping[str, Any]) -> dict[str, Any]:
    plugin = p50(took["plugin"])
    own = {name: p50(took[name]) - plugin for name in ("core", "floor")}
    ratios = [
        (median(core) - median(plugin)) / (median(floor) - median(plugin))
        for core, floor, plugin in zip(took["core"], took["floor"], took["plugin"], strict=True)
    ]
    times = round(median(ratios), 2)
    return {
        "a_second": RATE,
        "p50_ms": {name: round(p50(found), 3) for name, found in took.items()},
        "own_p50_ms": {name: round(found, 3) for name, found in own.items()},
        "ratio_own_p50": times,
        "scenario": dict(scenario),
        "kept": {
            "own_p50": times <= AT_MOST,
            "scenario_median": scenario["own_median_ms"] <= MEDIAN_MS,
            "scenario_p95": scenario["own_p95_ms"] <= P95_MS,
        },
    }


def p50(rounds: list[list[float]]) -> float:
    return median(median(one) for one in rounds)


async def _scenario(made: Stage, seconds: int) -> dict[str, Any]:
    """Dialogs that go on, and a plugin that takes its time."""
    send = messages(made, text=f"after {PLUGIN_MS} ms", dialogs=DIALOGS)
    served = await at_rate(port_of(made.systems["core"].url), send, seconds)
    cuts = quantiles(served, n=100)
    return {
        "a_second": RATE,
        "seconds": seconds,
        "plugin_ms": PLUGIN_MS,
        "own_median_ms": round(cuts[49] - PLUGIN_MS, 2),
        "own_p95_ms": round(cuts[94] - PLUGIN_MS, 2),
    }


async def at_rate(port: int, requests: Requests, seconds: float) -> list[float]:
    """Milliseconds of each answer, from when its request was sent.

    Raises CannotRunError where one is not 200.
    """
    told = await quickly(Clients(port, requests, from_sending=True).open_loop(RATE, seconds))
    if set(told.statuses) != {200} or told.unanswered:
        raise CannotRunError(f"answered {dict(told.statuses)}, {told.unanswered} not at all")
    return [one * 1000 for one in told.served]


def messages(made: Stage, text: str = "Hello!", dialogs: int | None = None) -> Requests:
    """In a dialog of its own each, or in turn in one of so many."""
    known = [str(uuid4()) for _ in range(dialogs or 0)]
    numbers = count()

    def request() -> bytes:
        number = next(numbers)
        dialog = known[number % len(known)] if known else str(uuid4())
        body = orjson.dumps({"user_id": made.user_id, "message_id": f"m-{number}",
                             "payload": {"type": "text", "text": text}})  # fmt: skip
        token = f"X-Bot-Token: {made.token}"
        return _request(f"/api/v1/dialogs/{dialog}/messages", body, token)

    return request


def _calls() -> Requests:
    """What the plugin is sent, without anybody between."""
    some = str(uuid4())
    body = orjson.dumps({
        "invocation_id": some, "dialog_id": some, "user_id": some, "trace_id": some,
        "intent": None, "payload": {"type": "text", "text": "Hello!", "attachments": []},
        "context": {"locale": "en", "metadata": {}, "messages": []}, "deadline_ms": 8000,
        "dry_run": False,
    })  # fmt: skip
    sent = _request("/invoke", body, "Authorization: Bearer nobody")
    return lambda: sent


def _request(path: str, body: bytes, header: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", header, "Content-Type: application/json",
             f"Content-Length: {len(body)}"]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


LATENCY = Part("latency", "At 100 messages a second", run)
