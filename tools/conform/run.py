"""Runs every case of every operation."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tools.conform.client import Client, open_session
from tools.conform.codes import Try
from tools.conform.columns import events, idempotency, limit, owner, scopes, statuses
from tools.conform.good import Caller, caller
from tools.conform.plugin import serving_plugin
from tools.conform.results import Results
from tools.conform.world import Keys, World
from tools.contract import Json, Operation, operations

AT_ONCE = 4
CONTRACT_PATH = "/api/v1/openapi.json"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Target:
    """`only` empty: all. `host`: where the deployment reaches this machine."""

    url: str
    keys: Keys
    host: str = "127.0.0.1"
    only: frozenset[str] = frozenset()


async def conform(contract: Json, target: Target, progress: Progress) -> Results:
    """Raises NotThereError and SetupError where nothing can be tried."""
    results, started = Results(), time.monotonic()
    everything = {operation.id: operation for operation in operations(contract)}
    chosen = [item for name, item in everything.items() if not target.only or name in target.only]
    schemes = contract["components"]["securitySchemes"]
    async with (
        serving_plugin(target.host) as plugin,
        open_session() as session,
    ):
        client = Client(target.url.rstrip("/"), schemes, session)
        world = World(client, everything, target.keys, plugin)
        await _same_contract(client, contract, results)
        try:
            await world.receive_messages()
            await world.bury_tokens()
            await _all(world, chosen, results, progress)
        finally:
            await world.leave()
    for operation in chosen:
        results.add(operation.id, "headers", "declared ones, no more",
                    client.header_faults[operation.id])  # fmt: skip
        results.add(operation.id, "schema", "bodies fit", client.body_faults[operation.id])
    results.seconds = time.monotonic() - started
    return results


async def _same_contract(client: Client, contract: Json, results: Results) -> None:
    async with client.session.get(client.url + CONTRACT_PATH) as response:
        served = await response.json(content_type=None)
    faults = [] if served == contract else ["the deployment serves another contract than this one"]
    results.add("getContract", "schema", "the same contract", faults)


async def _all(
    world: World, chosen: Sequence[Operation], results: Results, progress: Progress
) -> None:
    other, free = await caller(world), asyncio.Semaphore(AT_ONCE)
    # One at a time: both wait for the plugin to hang.
    hanging = asyncio.Lock()
    done = 0

    async def one(operation: Operation) -> None:
        nonlocal done
        lock: Any = hanging if "message_in_flight" in operation.codes else free
        async with lock:
            await _operation(world, operation, other, results)
        done += 1
        progress(f"{done}/{len(chosen)} {operation.id}")

    # Not gather: after a mistake nothing may still be making what the end takes away.
    try:
        async with asyncio.TaskGroup() as group:
            for operation in chosen:
                group.create_task(one(operation))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors


async def _operation(world: World, operation: Operation, other: Caller, results: Results) -> None:
    case = Try(world, operation, await caller(world))
    await statuses.run(case, results)
    await scopes.run(case, results)
    await owner.run(case, results, other)
    await idempotency.run(case, results)
    await events.run(case, results)
    await limit.run(case, results)
