"""A good request of each operation of the contract, and what of its answer must stay the same."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tools.bundler import bundle
from tools.conform.answers import Answer
from tools.conform.client import Client, open_session
from tools.conform.good import caller, good_request
from tools.conform.keys import issued_keys
from tools.conform.plugin import serving_plugin
from tools.conform.world import World
from tools.contract import operations

CONTRACT = bundle("openapi.yaml")
OPERATIONS = {operation.id: operation for operation in operations(CONTRACT)}


@dataclass(frozen=True)
class Said:
    """What of an answer must be the same."""

    status: int
    kind: str | None
    headers: frozenset[str]
    members: frozenset[str]

    @classmethod
    def of(cls, answer: Answer) -> "Said":
        kind = answer.headers.get("content-type")
        body = answer.json if kind and kind.endswith("json") else None
        members = frozenset(body) if isinstance(body, dict) else frozenset()
        return cls(answer.status, kind, frozenset(answer.headers), members)


@dataclass
class Heard:
    """By operation; `took` is in seconds."""

    said: dict[str, Said]
    took: dict[str, float]
    bodies: dict[str, Answer]


@asynccontextmanager
async def asking(url: str, database: str) -> AsyncIterator[World]:
    """A client of the API at `url` that can make a good request of each operation."""
    async with (
        issued_keys(database) as keys,
        serving_plugin("127.0.0.1") as plugin,
        open_session() as session,
    ):
        client = Client(url, CONTRACT["components"]["securitySchemes"], session)
        world = World(client, OPERATIONS, keys, plugin)
        await world.receive_messages()
        yield world


async def every(world: World) -> Heard:
    """One after the other."""
    heard = Heard({}, {}, {})
    who = await caller(world)
    for name, operation in OPERATIONS.items():
        request = await good_request(world, operation, who)
        began = time.perf_counter()
        answer = await world.client.send(request)
        heard.took[name] = time.perf_counter() - began
        heard.said[name], heard.bodies[name] = Said.of(answer), answer
    return heard
