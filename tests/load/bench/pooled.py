"""What a message costs without cached statements, and by way of a pgbouncer."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from statistics import median
from typing import Any

from impl import migrate
from tests.faults.processes import Process
from tests.faults.world import Servers, World, world
from tests.load.bench.alone import quick_plugin
from tests.load.bench.part import Part, Progress, Size
from tests.load.bench.requests import messages_of
from tests.load.measures import processor_ms
from tests.load.usage import postmaster, processor_seconds
from tests.pgbouncer import PROGRAM, pgbouncer
from tests.servers import create_database, postgres_server

TEMPLATE = "pooled_template"
POOL = 10  # connections that the pgbouncer opens: as many as a process's pool


async def run(size: Size, progress: Progress) -> Mapping[str, Any]:
    """CPU milliseconds a message, of the core and of PostgreSQL, and each as a ratio to a direct
    connection with cached statements, within a round; medians of the rounds. Without a pgbouncer
    on this machine there are no figures of one."""
    rounds, messages = (3, 200) if size.short else (5, 1000)
    async with postgres_server() as dsn:
        await migrate.upgrade(await create_database(dsn, TEMPLATE))
        async with (
            world(Servers(dsn, TEMPLATE)) as one,
            _cores(one) as cores,
            quick_plugin() as url,
        ):
            await one.register(cores["direct"], url, "text_reply")
            found = await _rounds(one, cores, rounds, messages, progress)
    return {
        "messages": messages,
        "rounds": rounds,
        **{name: _told(each, found["direct"]) for name, each in found.items()},
    }


@asynccontextmanager
async def _cores(one: World) -> AsyncIterator[dict[str, Process]]:
    """All on one database: with the cache, without it, and without it behind a pgbouncer."""
    direct = one.settings["BOTCORE_DATABASE_URL"]
    pooled = {"database_statement_cache": "false", "database_listen_url": direct}
    cores = {"direct": await one.serve(), "uncached": await one.serve(None, **pooled)}
    try:
        if PROGRAM is None:
            yield cores
            return
        async with pgbouncer(direct, one.folder, POOL) as url:
            cores["pgbouncer"] = await one.serve(None, **pooled, database_url=url)
            yield cores
    finally:
        for core in cores.values():
            await core.stop()


async def _rounds(
    one: World, cores: Mapping[str, Process], rounds: int, messages: int, progress: Progress
) -> dict[str, list[tuple[float, float]]]:
    """Of each the CPU of core and database a message, round by round."""
    (user_id,) = await one.users(cores["direct"], 1)
    await one.until_room_is_given()
    request = messages_of(one.bot.token, user_id)
    server = await postmaster(one.pool)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in cores}
    for number in range(rounds + 1):
        for name, core in cores.items():
            before = processor_seconds(server)
            spent = await processor_ms(core, request, messages)
            database = (processor_seconds(server) - before) / messages * 1000
            if number:  # the first one warms up
                found[name].append((spent, database))
        progress(f"round {number} of {rounds}")
    return found


def _told(found: list[tuple[float, float]], direct: list[tuple[float, float]]) -> dict[str, float]:
    ratios = [
        (core / other_core, database / other_database)
        for (core, database), (other_core, other_database) in zip(found, direct, strict=True)
    ]
    return {
        "core_ms": median(core for core, _ in found),
        "database_ms": median(database for _, database in found),
        "core_ratio": median(core for core, _ in ratios),
        "database_ratio": median(database for _, database in ratios),
    }


POOLED = Part("pooled", "Without cached statements, and behind a pgbouncer", run)
