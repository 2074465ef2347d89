"""How long a message takes to be routed by rules alone: `python -m tools.rules_benchmark`."""

import asyncio
import time
from statistics import median
from uuid import UUID, uuid5

from generated import models
from impl.routing.candidate import Candidate
from impl.routing.router import Routable, Router
from impl.routing.table import RoutingTable, compile_table

PATTERNS = 200
OF_A_PLUGIN = 5
TEXTS = (
    "/command42 tomorrow",
    "please tell me topic77 in Berlin",
    "What is the weather like at the end of next week?",
    "какая погода завтра в Москве",
    "hi",
    "a longer message, as people write them when they explain what went wrong " * 8,
)
SPACE = UUID(int=0)


class Tables:
    """A catalogue that never changes."""

    def __init__(self, table: RoutingTable) -> None:
        self._table = table

    async def table(self) -> RoutingTable:
        return self._table


def rules_only_microseconds(patterns: int = PATTERNS, rounds: int = 300) -> float:
    """The median of a decision, in microseconds, with so many patterns and no classifier.

    Half of them are commands, half search the whole text; of six texts two match one.
    """
    router = Router(Tables(compile_table(_plugins(patterns), "text_reply")))
    messages = [Routable(models.TextPayloadV1(type="text", text=text)) for text in TEXTS]
    return asyncio.run(_measured(router, messages, rounds))


async def _measured(router: Router, messages: list[Routable], rounds: int) -> float:
    took = []
    for number in range(rounds + 20):
        for message in messages:
            started = time.perf_counter_ns()
            await router.route(message)
            if number >= 20:  # RE2 builds its automaton as it reads
                took.append(time.perf_counter_ns() - started)
    return median(took) / 1000


def _plugins(patterns: int) -> list[Candidate]:
    intents = [
        {
            "tag": f"t{number}",
            "activation_condition": {
                "type": "regex",
                "value": rf"(?i)\btopic{number}\b" if number % 2 else rf"^/command{number}\b",
            },
            "priority": number % 10,
        }
        for number in range(patterns)
    ]
    plugins = [intents[at : at + OF_A_PLUGIN] for at in range(0, patterns, OF_A_PLUGIN)]
    return [_plugin("text_reply", []), *(_plugin(f"p{n}", own) for n, own in enumerate(plugins))]


def _plugin(name: str, intents: list[dict[str, object]]) -> Candidate:
    url = "http://127.0.0.1:1"
    return Candidate(uuid5(SPACE, name), name, "1.0.0", url, intents, "active", "0" * 64)


if __name__ == "__main__":
    found = rules_only_microseconds()
    print(f"{found:.1f} µs median for a decision by rules alone, of {PATTERNS} patterns")
