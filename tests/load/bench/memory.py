"""What an API process holds in memory as it answers messages, without intents to classify."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from impl.tokens.format import mint
from tests.load.bench.alone import Stage, stage
from tests.load.bench.part import Part, Progress, Size
from tests.load.bench.requests import closed_loop
from tests.load.measures import Caller

CONNECTIONS = 16
PROMISE_MIB = 130.0
# From the middle of the run to its end: what a process that keeps nothing may still differ by.
FLAT_MIB = 2.0
STEPS = 10
TOKENS = 8


async def _run(size: Size, progress: Progress) -> Mapping[str, Any]:
    messages = 10_000 if size.short else 100_000
    async with stage() as built:
        await _meet_tokens(built)
        found = [built.core.memory_kib / 1024]
        for step in range(1, STEPS + 1):
            await closed_loop(built.core.url, built.messages(), CONNECTIONS, most=messages // STEPS)
            found.append(built.core.memory_kib / 1024)
            progress(f"{messages // STEPS * step} messages: {found[-1]:.1f} MiB")
    grown = found[-1] - found[STEPS // 2]
    return {
        "messages": messages,
        "mib": {"ready": found[0], "half": found[STEPS // 2], "all": found[-1], "grown": grown},
        "mib_each_tenth": found,
        "kept": {"memory_small": found[-1] <= PROMISE_MIB, "memory_flat": grown <= FLAT_MIB},
    }


async def _meet_tokens(built: Stage) -> None:
    """Several unknown ones at once: each thread that hashes has then had its 19 MiB."""
    caller = Caller(built.world.bot.session, built.world.bot.token)
    unknown = [caller.dialog(built.core, uuid4(), mint("bot").plaintext) for _ in range(TOKENS)]
    await asyncio.gather(*(send() for send in unknown))


MEMORY = Part("memory", "Memory of an API process", _run)
