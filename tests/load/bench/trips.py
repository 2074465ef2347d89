"""Statements and round trips of a message, counted on the wire."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from statistics import median
from typing import Any
from uuid import uuid4

import aiohttp

from tests.faults.errors import CannotRunError
from tests.faults.processes import start
from tests.load.bench.part import Part, Progress, Size
from tests.load.bench.stage import Stage, peer, stage
from tests.wire import counting_proxy_before, line_before

WARM = 20
COUNTED = 60
# Nothing but the message talks to the database meanwhile, on this way.
QUIET = {
    "BOTCORE_CATALOGUE_REFRESH_SECONDS": "60",
    "BOTCORE_LIMITS_REFRESH_SECONDS": "60",
    "BOTCORE_TOKEN_REFRESH_SECONDS": "30",
}
AT_MOST = {"statements": 3, "database_round_trips": 3, "redis_round_trips": 1}

Counts = Callable[[], dict[str, int]]


async def run(size: Size, progress: Progress) -> Mapping[str, Any]:
    counted = {}
    async with stage(databases=["core", "floor", "idiomatic"]) as made:
        for name in made.systems:
            async with _counting(made, name) as (url, counts):
                counted[name] = await _a_message(made, url, counts)
            told = ", ".join(f"{number:g} {what}" for what, number in counted[name].items())
            progress(f"{name}: {told.replace('_', ' ')}")
    core = counted["core"]
    kept = {name: core[name] <= most for name, most in AT_MOST.items()}
    return {"systems": counted, "kept": kept}


@asynccontextmanager
async def _counting(made: Stage, name: str) -> AsyncIterator[tuple[str, Counts]]:
    """The system behind proxies that count."""
    async with (
        counting_proxy_before(made.systems[name].database) as database,
        line_before(made.valkey) as redis,
    ):

        def counts() -> dict[str, int]:
            return {
                "statements": database.statements,
                "database_round_trips": database.round_trips,
                "redis_round_trips": redis.asked,
            }

        if name == "core":
            places = {"BOTCORE_DATABASE_URL": database.dsn, "BOTCORE_REDIS_URL": redis.url,
                      "BOTCORE_DATABASE_LISTEN_URL": made.database}  # fmt: skip
            settings = made.core_settings | QUIET | places
            core = await start("serve", settings, made.folder / "counted.log", made.group)
            try:
                yield core.url, counts
            finally:
                await core.stop()
        else:
            settings_of = replace(made.peers, database_url=database.dsn)
            async with peer(name, settings_of, made.folder, made.group) as (url, _):
                yield url, counts


async def _a_message(made: Stage, url: str, counts: Counts) -> dict[str, float]:
    """Messages one after another; the median leaves out what is not of a message."""
    found: list[dict[str, int]] = []
    async with aiohttp.ClientSession(headers={"X-Bot-Token": made.token}) as session:
        for _ in range(WARM):
            await say(session, url, made.user_id)
        for _ in range(COUNTED):
            before = counts()
            await say(session, url, made.user_id)
            after = counts()
            found.append({name: after[name] - before[name] for name in after})
    return {name: median(one[name] for one in found) for name in AT_MOST}


async def say(session: aiohttp.ClientSession, url: str, user_id: str) -> dict[str, Any]:
    """One message in a dialog of its own. Raises CannotRunError where it gets no answer."""
    body = {"user_id": user_id, "message_id": "m-1", "payload": {"type": "text", "text": "Hello!"}}
    path = f"{url}/api/v1/dialogs/{uuid4()}/messages"
    async with session.post(path, json=body) as response:
        said: dict[str, Any] = await response.json()
        if response.status != 200 or said["status"] != "accepted":
            raise CannotRunError(f"answered {response.status}: {said}")
        return said


TRIPS = Part("trips", "Statements and round trips of a message", run)
