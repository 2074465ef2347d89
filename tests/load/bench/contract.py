"""The contract layer alone: the message operation with a handler that stores nothing.

Each peer is one process of uvicorn with uvloop and httptools, asked by wrk for the same message.
They run by turns: what else happens on the machine meets them alike, and a ratio is of one round.
"""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from impl.local.guardian import Guardian
from tests.faults.errors import CannotRunError
from tests.faults.processes import Process, start
from tests.load.bench.part import Part, Progress, Size
from tests.load.peers.contract.answer import DIALOG, MESSAGE, PATH, TOKEN
from tests.load.usage import processor_seconds

BARE, EDGE = "bare", "edge"
TITLES = {
    BARE: "bare Starlette + orjson, nothing is checked",
    EDGE: "the generated edge",
    "edge_model": "the generated edge, its handler answers with a model",
    "shipped": "the generated edge, and all that `botcore serve` has around it",
    "by_hand": "FastAPI by hand",
    "connexion": "Connexion",
    "connexion_answers": "Connexion, answers validated",
}
LONG_ONLY = {"connexion_answers", "edge_model"}
ROUNDS = 5
CONNECTIONS = 16
LEAST = 0.40
SCRIPT = Path(__file__).with_name("wrk.lua")
# Of `botcore serve`, which connects to none of them here.
SETTINGS = {
    "BOTCORE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "BOTCORE_REDIS_URL": "redis://127.0.0.1:1",
    "BOTCORE_SECRET_KEY": "a secret key of nobody, long enough",
    "BOTCORE_DEVELOPMENT": "true",
    "BOTCORE_UNREADY_SECONDS": "0",
}


@dataclass(frozen=True)
class Round:
    a_second: float
    cpu_us: float  # of the server's process, for each request
    p50_ms: float
    p99_ms: float


@dataclass
class Peer:
    name: str
    process: Process
    rounds: list[Round] = field(default_factory=list)


async def run(size: Size, progress: Progress) -> Mapping[str, Any]:
    """Raises CannotRunError where wrk is not installed or a peer answers otherwise."""
    if shutil.which("wrk") is None:
        raise CannotRunError("wrk is not installed; on Debian and Ubuntu: apt-get install wrk")
    seconds = 1 if size.short else 4
    names = [name for name in TITLES if _is_there(name) and not (size.short and name in LONG_ONLY)]
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        guardian = await stack.enter_async_context(Guardian())

        async def started(name: str) -> Peer:
            process = await start(
                "serve", {**SETTINGS, "BENCH_PEER": name}, folder / f"{name}.log", guardian.group,
                module="tests.load.peers.contract",
            )  # fmt: skip
            stack.push_async_callback(process.stop)
            await _one_round(process, 1)  # it warms up
            return Peer(name, process)

        peers = await asyncio.gather(*map(started, names))
        for number in range(ROUNDS):
            for peer in peers:
                peer.rounds.append(await _one_round(peer.process, seconds))
            shares = ", ".join(f"{p.name} {_ratios(p, peers[0])[-1]:.2f}" for p in peers[1:])
            progress(f"contract layer, round {number + 1} of {ROUNDS}: {shares}")
    return _figures(peers)


def _is_there(name: str) -> bool:
    """Connexion comes with `make bench` alone."""
    return not name.startswith("connexion") or find_spec("connexion") is not None


async def _one_round(process: Process, seconds: int) -> Round:
    url = process.url + PATH.format(dialog_id=DIALOG)
    before = processor_seconds(process.child.pid)
    told = await _wrk(
        *("--connections", str(CONNECTIONS), "--threads", "1", "--duration", f"{seconds}s"),
        *("--latency", "--script", str(SCRIPT), url, "--", json.dumps(MESSAGE), TOKEN),
    )
    if told["refused"] or told["lost"] or not told["requests"]:
        raise CannotRunError(f"not every message was answered 200: {told}")
    return Round(
        told["requests"] / told["seconds"],
        (processor_seconds(process.child.pid) - before) / told["requests"] * 1e6,
        told["p50_ms"],
        told["p99_ms"],
    )


async def _wrk(*arguments: str) -> dict[str, Any]:
    child = await asyncio.create_subprocess_exec(
        "wrk", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await child.communicate()
    if child.returncode:
        raise CannotRunError(f"wrk failed: {out.decode()}")
    figures: dict[str, Any] = json.loads(out.splitlines()[-1])
    return figures


def _cpu_ratios(peer: Peer, bare: Peer) -> list[float]:
    """Of the same amount of processor time, how many requests; others on the machine tell less."""
    pairs = zip(peer.rounds, bare.rounds, strict=True)
    return [other.cpu_us / one.cpu_us for one, other in pairs]


def _ratios(peer: Peer, bare: Peer) -> list[float]:
    pairs = zip(peer.rounds, bare.rounds, strict=True)
    return [one.a_second / other.a_second for one, other in pairs]


def _figures(peers: Sequence[Peer]) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {
        peer.name: {
            "title": TITLES[peer.name],
            "a_second": round(median(one.a_second for one in peer.rounds)),
            "cpu_us": round(median(one.cpu_us for one in peer.rounds), 1),
            "p50_ms": round(median(one.p50_ms for one in peer.rounds), 3),
            "p99_ms": round(median(one.p99_ms for one in peer.rounds), 3),
            "ratio_bare": round(median(_ratios(peer, peers[0])), 3),
            "ratio_bare_cpu": round(median(_cpu_ratios(peer, peers[0])), 3),
        }
        for peer in peers
    }
    return {"peers": found, "kept": {"contract_layer_0.40": found[EDGE]["ratio_bare"] >= LEAST}}


CONTRACT = Part("contract", "The contract layer alone", run)


def _alone() -> None:
    found = asyncio.run(run(Size(short=True), print))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    _alone()
