"""What tokens cost, and what bad ones do to the others: make bench-security [SHORT=1]

Writes build/security.json. Exit codes: 0 measured, 1 a promise is not kept, 2 nothing was measured.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any
from uuid import uuid4

import asyncpg

from impl import migrate
from impl.local.child import LocalError
from impl.tokens.format import mint
from impl.tokens.issue import issue
from tests.faults.errors import CannotRunError
from tests.faults.processes import Process, start
from tests.faults.world import Servers, World, world
from tests.integration.tokens.rows import make_bot
from tests.load.bench.alone import quick_plugin
from tests.load.bench.requests import Request, messages_of
from tests.load.measures import Caller, flood, good_traffic, medians, processor_ms
from tests.servers import create_database, postgres_server
from tests.stack import scripted_plugin
from tools.contract import ROOT

TEMPLATE = "security_template"
# Only in what is about the throttle may it step in.
UNTHROTTLED = {"token_failures_per_id": "1000000", "token_failures_per_address": "1000000"}
BAD_RATE = 1000.0
GOOD_RATE = 50.0
APART, MORE = 0.05, 0.15  # the promises


@dataclass(frozen=True)
class Size:
    refusals: int
    requests: int
    rounds: int
    seconds: float


LONG, SHORT = Size(500, 4000, 7, 30.0), Size(60, 400, 3, 6.0)
TURN = 200


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench-security", description=__doc__)
    parser.add_argument("--short", action="store_true", help="to see that it runs")
    given = parser.parse_args(arguments)
    try:
        found = asyncio.run(_run(SHORT if given.short else LONG))
    except (CannotRunError, LocalError, OSError, asyncpg.PostgresError) as error:
        print(f"\nnothing could be measured: {error}", file=sys.stderr)
        return 2
    found["short"] = given.short
    path = ROOT / "build" / "security.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n")
    print("\n" + _table(found) + f"\n\nwritten: {path.relative_to(ROOT)}")
    return 0 if all(found["kept"].values()) else 1


async def _run(size: Size) -> dict[str, Any]:
    async with postgres_server() as dsn:
        await migrate.upgrade(await create_database(dsn, TEMPLATE))
        servers = Servers(dsn, TEMPLATE)
        _progress("times of refusals")
        async with world(servers) as one:
            refusals = await _refusals(one, size)
        _progress("processor time of a request")
        async with world(servers) as one:
            cost = await _cost(one, size)
        _progress("good traffic beside bad tokens")
        async with world(servers) as one:
            beside = await _beside(one, size)
    return {
        "cpus": os.cpu_count(),
        "refusals_ms": refusals,
        "processor_ms": cost,
        "beside": beside,
        "kept": {
            "tokens_alike": _apart(refusals, "unknown_id", "wrong_secret") <= APART,
            "objects_alike": _apart(refusals, "foreign_object", "absent_object") <= APART,
            **{f"{name}_costs": each["more"] <= MORE for name, each in cost.items()},
        },
    }


async def _refusals(one: World, size: Size) -> dict[str, float]:
    """Unknown id and wrong secret; another's dialog and one that is not there."""
    async with _core(one, **UNTHROTTLED) as core:
        caller = Caller(one.bot.session, one.bot.token)
        (user_id,) = await one.users(core, 1)
        foreign = await one.pool.fetchval(
            "INSERT INTO dialogs (bot_id, user_id) VALUES ($1, $2) RETURNING id",
            await make_bot(one.pool, f"another-{uuid4()}"),
            user_id,
        )
        wrong = mint("bot")
        holder = await make_bot(one.pool, f"holder-{uuid4()}")
        right = await issue(one.pool, "bot", subject_id=holder, scopes=[])
        await one.pool.execute("UPDATE tokens SET id = $1 WHERE id = $2", wrong.id, right.id)
        return await medians(
            {
                "unknown_id": (caller.dialog(core, uuid4(), mint("bot").plaintext), 401),
                "wrong_secret": (caller.dialog(core, uuid4(), wrong.plaintext), 401),
                "foreign_object": (caller.dialog(core, foreign), 404),
                "absent_object": (caller.dialog(core, uuid4()), 404),
            },
            size.refusals,
        )


async def _cost(one: World, size: Size) -> dict[str, dict[str, float]]:
    """With token and limits, and without both: medians of the rounds.

    Each round starts both anew, for one process of Python is faster than another by more than what
    is sought here; and has few requests at a time by turns, for so is one second of the machine.
    """
    bot_id = str(await one.pool.fetchval("SELECT id FROM bots WHERE name = 'faults'"))
    found: dict[str, list[dict[str, float]]] = {"message": [], "dialog": []}
    async with quick_plugin() as url:
        async with _core(one) as core:
            await one.register(core, url, "text_reply")
            (user_id,) = await one.users(core, 1)
            await one.until_room_is_given()
        dialog = await one.pool.fetchval(
            "INSERT INTO dialogs (bot_id, user_id) VALUES ($1, $2) RETURNING id", bot_id, user_id
        )
        requests = {
            "message": messages_of(one.bot.token, user_id),
            "dialog": Request("GET", f"/api/v1/dialogs/{dialog}", {"X-Bot-Token": one.bot.token}),
        }
        for number in range(1, size.rounds + 1):
            async with _core(one) as core, _open_core(one, bot_id) as opened:
                sides = {"with": core, "without": opened}
                for name, request in requests.items():
                    found[name].append(await _by_turns(sides, request, size.requests))
            _progress(f"  round {number} of {size.rounds}")
    return {name: {key: median(each[key] for each in rounds) for key in rounds[0]}
            for name, rounds in found.items()}  # fmt: skip


async def _by_turns(sides: dict[str, Process], request: Request, number: int) -> dict[str, float]:
    took: dict[str, list[float]] = {which: [] for which in sides}
    for turn in range(number // TURN + 1):
        for which, side in sides.items():
            spent = await processor_ms(side, request, TURN)
            if turn:  # the first one warms up
                took[which].append(spent)
    costs = {which: fmean(each) for which, each in took.items()}
    return {**costs, "more": costs["with"] / costs["without"] - 1}


async def _beside(one: World, size: Size) -> dict[str, Any]:
    """Messages at GOOD_RATE: alone, and beside bad tokens of one client, and of very many."""
    found: dict[str, Any] = {"good_a_second": GOOD_RATE, "bad_a_second": BAD_RATE}
    async with _core(one, trusted_proxies="127.0.0.0/8") as core, scripted_plugin() as plugin:
        await one.register(core, plugin.url, "text_reply")
        (user_id,) = await one.users(core, 1)
        send = Caller(one.bot.session, one.bot.token).message(core, user_id)
        await good_traffic(send, GOOD_RATE, 2.0)
        for name, many in (("alone", None), ("one_client", False), ("many_clients", True)):
            beside = None
            if many is not None:
                beside = await flood(core, BAD_RATE, size.seconds + 2, many=many)
                await asyncio.sleep(1)  # its first second is its start
            traffic = await good_traffic(send, GOOD_RATE, size.seconds)
            bad = {} if beside is None else {"bad": await beside.ended()}
            found[name] = {**asdict(traffic), **bad}
            _progress(f"  {name}: p99 {traffic.p99:.1f} ms")
    return found


@asynccontextmanager
async def _core(one: World, **settings: str) -> AsyncIterator[Process]:
    core = await one.serve(None, **settings)
    try:
        yield core
    finally:
        await core.stop()


@asynccontextmanager
async def _open_core(one: World, bot_id: str) -> AsyncIterator[Process]:
    settings = {**one.settings, "BENCH_BOT_ID": bot_id}
    log = one.folder / "open.log"
    core = await start("serve", settings, log, one.group, module="tests.load.open_serve")
    try:
        yield core
    finally:
        await core.stop()


def _apart(found: dict[str, float], one: str, other: str) -> float:
    """As a share of the smaller one."""
    low, high = sorted((found[one], found[other]))
    return high / low - 1


def _table(found: dict[str, Any]) -> str:
    refusals, costs, beside = found["refusals_ms"], found["processor_ms"], found["beside"]
    lines = [
        f"| {name.replace('_', ' ')}, median | {took:.2f} ms |" for name, took in refusals.items()
    ]
    lines += [
        f"| {name}, processor time | {cost['with']:.3f} ms, without token and limits "
        f"{cost['without']:.3f} ms: {cost['more']:+.1%} |"
        for name, cost in costs.items()
    ]
    lines += [
        f"| messages {name.replace('_', ' ')} | p50 {beside[name]['p50']:.1f} ms, "
        f"p99 {beside[name]['p99']:.1f} ms, bad: {beside[name].get('bad', 'none')} |"
        for name in ("alone", "one_client", "many_clients")
    ]
    lines += [f"| promise {name} | {'kept' if kept else 'NOT kept'} |"
              for name, kept in found["kept"].items()]  # fmt: skip
    return "\n".join(["| Figure | Measured |", "| --- | --- |", *lines])


def _progress(text: str) -> None:
    print(f"- {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
