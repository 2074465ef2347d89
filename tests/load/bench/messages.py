"""Messages a second, their time and what they cost: the core and its peers, round by round."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.load.bench.part import Part, Progress, Size
from tests.load.bench.pgbench import run_pgbench
from tests.load.bench.rows import Rows, count_rows, stored_since
from tests.load.bench.stage import Stage, stage
from tests.load.bench.wrk import Load, require_wrk, send_messages
from tests.load.usage import Watched, memory_mib, postgres_pid, valkey_pid

SYSTEMS = ("core", "floor", "idiomatic")
STATEMENTS = "pgbench"
CONNECTIONS = (1, 16, 64)
DECIDES = 16
AT_LEAST = {"floor": 0.60, "idiomatic": 5.0}
WARM_SECONDS = 2
PERCENTILES = ("p50", "p95", "p99")


@dataclass(frozen=True)
class Turn:
    """One system's, at so many connections. Milliseconds of processor time by process."""

    load: Load
    processor_ms: Mapping[str, float]


@dataclass
class Bench:
    """What was measured: the turns of a system at so many connections, one a round."""

    made: Stage
    postgres: int
    valkey: int
    turns: dict[tuple[str, int], list[Turn]] = field(default_factory=dict)
    acknowledged: dict[str, int] = field(default_factory=dict)
    abandoned: dict[str, int] = field(default_factory=dict)  # at most, when a load ended
    refused: int = 0

    async def turn(self, name: str, connections: int, seconds: int) -> Turn:
        system = self.made.systems[name]
        pids = {"postgres": self.postgres, "valkey": self.valkey, "plugin": self.made.plugin.pid}
        watched = Watched(pids if name == STATEMENTS else {"api": system.pid, **pids})
        before = watched.seconds()
        load = await self._load(name, connections, seconds)
        after = watched.seconds()
        self.acknowledged[name] = self.acknowledged.get(name, 0) + load.acknowledged
        self.abandoned[name] = self.abandoned.get(name, 0) + connections
        self.refused += sum(load.faults.values())
        each = max(load.acknowledged, 1)
        return Turn(load, {one: (after[one] - before[one]) * 1000 / each for one in after})

    async def _load(self, name: str, connections: int, seconds: int) -> Load:
        made, system = self.made, self.made.systems[name]
        if name == STATEMENTS:
            return await run_pgbench(system.database, made.peers, made.user_id, made.folder,
                                     connections=connections, seconds=seconds)  # fmt: skip
        return await send_messages(system.url, made.token, made.user_id,
                                   connections=connections, seconds=seconds)  # fmt: skip

    def note(self, name: str, connections: int, turn: Turn) -> None:
        self.turns.setdefault((name, connections), []).append(turn)


async def run(size: Size, progress: Progress) -> Mapping[str, Any]:
    require_wrk()
    rounds, seconds = (3, 2) if size.short else (5, 8)
    names = (*SYSTEMS, STATEMENTS)
    async with stage(*SYSTEMS, databases=[STATEMENTS]) as made:
        databases = {name: made.systems[name].database for name in names}
        before = {name: await count_rows(database) for name, database in databases.items()}
        bench = Bench(made, await postgres_pid(made.postgres), await valkey_pid(made.valkey))
        for name in names:
            await bench.turn(name, DECIDES, WARM_SECONDS)
        for number in range(1, rounds + 1):
            for connections in CONNECTIONS:
                for name in _in_turn(number):
                    if name == STATEMENTS and connections != DECIDES:
                        continue
                    turn = await bench.turn(name, connections, seconds)
                    bench.note(name, connections, turn)
            progress(f"round {number} of {rounds}: {_told(bench)}")
        stored = {name: await stored_since(database, before[name])
                  for name, database in databases.items()}  # fmt: skip
        memory = {name: round(memory_mib(made.systems[name].pid), 1) for name in SYSTEMS}
        return _figures(bench, stored, memory, rounds, seconds)


def _in_turn(number: int) -> list[str]:
    """Another is the first in each round, so that none always follows the same one."""
    names = [*SYSTEMS, STATEMENTS]
    first = number % len(names)
    return names[first:] + names[:first]


def _told(bench: Bench) -> str:
    found = {name: bench.turns[name, DECIDES][-1].load.a_second for name in SYSTEMS}
    return ", ".join(f"{name} {a_second:.0f}/s" for name, a_second in found.items())


def _figures(
    bench: Bench, stored: Mapping[str, Rows], memory: Mapping[str, float], rounds: int, seconds: int
) -> dict[str, Any]:
    ratios = {
        other: {str(connections): ratio(bench, other, connections) for connections in CONNECTIONS}
        for other in AT_LEAST
    }
    deciding = {name: found[str(DECIDES)] for name, found in ratios.items()}
    same = {name: rows.whole and _counted(bench, name, rows) for name, rows in stored.items()}
    return {
        "rounds": rounds,
        "seconds": seconds,
        "ratio_floor": deciding["floor"],
        "ratio_idiomatic": deciding["idiomatic"],
        "ratios": ratios,
        # By the processor time of all processes: a busy machine changes these less.
        "processor_ratios": {other: processor_ratio(bench, other) for other in AT_LEAST},
        "systems": _systems(bench),
        "rss_mib": dict(memory),
        "refused": bench.refused,
        "rows": {name: _rows(bench, name, rows) for name, rows in stored.items()},
        "kept": {
            **{f"{name}_{DECIDES}": deciding[name] >= least for name, least in AT_LEAST.items()},
            **{f"rows_{name}": kept for name, kept in same.items()},
            "nobody_refused": bench.refused == 0,
        },
    }


def _systems(bench: Bench) -> dict[str, dict[str, Any]]:
    """Of each system the medians of its rounds, by connections."""
    found: dict[str, dict[str, Any]] = {}
    for (name, connections), turns in bench.turns.items():
        found.setdefault(name, {})[str(connections)] = summary(turns)
    return {name: found[name] for name in (*SYSTEMS, STATEMENTS)}


def _rows(bench: Bench, name: str, rows: Rows) -> dict[str, Any]:
    return {
        "acknowledged": bench.acknowledged[name],
        "stored": rows.messages,
        "each": dict(rows.each),
    }


def _counted(bench: Bench, name: str, rows: Rows) -> bool:
    """All that was acknowledged is there, and beyond it only what nobody waited for."""
    return 0 <= rows.messages - bench.acknowledged[name] <= bench.abandoned[name]


def ratio(bench: Bench, other: str, connections: int) -> float:
    """The core's messages a second to those of another: within each round, then the median."""
    pairs = zip(bench.turns["core", connections], bench.turns[other, connections], strict=True)
    return round(median(core.load.a_second / its.load.a_second for core, its in pairs), 3)


def processor_ratio(bench: Bench, other: str) -> float:
    """As `ratio`, by the processor time that a message takes of all processes."""
    pairs = zip(bench.turns["core", DECIDES], bench.turns[other, DECIDES], strict=True)
    return round(median(sum(its.processor_ms.values()) / sum(core.processor_ms.values())
                        for core, its in pairs), 3)  # fmt: skip


def summary(turns: list[Turn]) -> dict[str, Any]:
    """Medians of the rounds."""
    return {
        "a_second": round(median(turn.load.a_second for turn in turns), 1),
        **{name: round(median(getattr(turn.load, name) for turn in turns), 2)
           for name in PERCENTILES},
        "processor_ms": {name: round(median(turn.processor_ms[name] for turn in turns), 3)
                         for name in turns[0].processor_ms},
    }  # fmt: skip


MESSAGES = Part("messages", "Messages: the core beside its peers", run)
