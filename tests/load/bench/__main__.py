"""The project as shipped beside its peers, in turn: make bench [SHORT=1] [ONLY=messages]

Writes build/bench.json. Exit codes: 0 every promise is kept, 1 one is not, 2 something could not
be measured.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from impl.local.child import LocalError
from tests.faults.errors import CannotRunError
from tests.load.bench.contract import CONTRACT
from tests.load.bench.costs import COSTS
from tests.load.bench.growth import GROWTH
from tests.load.bench.lag import LAG
from tests.load.bench.latency import LATENCY
from tests.load.bench.memory import MEMORY
from tests.load.bench.messages import MESSAGES
from tests.load.bench.part import Part, Progress, Size
from tests.load.bench.pooled import POOLED
from tests.load.bench.rates import RATES
from tests.load.bench.reads import READS
from tests.load.bench.report import NOT_MEASURED, document, table
from tests.load.bench.start import START
from tests.load.bench.streams import STREAMS
from tests.load.bench.trips import TRIPS
from tools.contract import ROOT

# In the order in which they run.
PARTS: list[Part] = [
    MESSAGES, TRIPS, LATENCY, CONTRACT, COSTS, READS, RATES, LAG, START, MEMORY, STREAMS, POOLED,
    GROWTH,
]  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    given = _parsed(arguments)
    parts = [part for part in PARTS if not given.only or part.name in given.only]
    found = {**_machine(), "short": given.short}
    found |= asyncio.run(measure(parts, Size(short=given.short), _clock()))
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "bench.json"
    path.write_text(json.dumps(found, indent=2) + "\n")
    for part in parts:
        print(f"\n{part.title}\n\n{table(part.name, found[part.name])}")
    print("\n" + verdicts(found) + f"\n\nwritten: {path}")
    if given.document:
        for written in document(parts, found):
            print(f"written: {written.relative_to(ROOT)}")
    return exit_code(found)


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [part.name for part in PARTS]
    parser.add_argument("--only", action="append", default=[], metavar="PART", choices=names)
    parser.add_argument(
        "--short", action="store_true", help="few rounds, to see that it runs: five minutes"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "build", metavar="FOLDER")
    parser.add_argument(
        "--document", action="store_true", help="write docs/PERFORMANCE.md and its chart of it"
    )
    given = parser.parse_args(arguments)
    if given.document and given.short:
        parser.error("--document is of a long run")
    return given


async def measure(parts: Sequence[Part], size: Size, progress: Progress) -> dict[str, Any]:
    """The figures of each part by its name, and above them its ratios and what is kept."""
    found: dict[str, Any] = {"kept": {}}
    for part in parts:
        progress(part.title)
        try:
            figures = dict(await part.run(size, lambda text: progress(f"  {text}")))
        except (CannotRunError, LocalError, OSError, asyncpg.PostgresError) as error:
            figures = {NOT_MEASURED: str(error)}
            progress(f"  not measured: {error}")
        found[part.name] = figures
        found |= {name: value for name, value in figures.items() if name.startswith("ratio_")}
        found["kept"] |= {
            f"{part.name}.{name}": kept for name, kept in figures.get("kept", {}).items()
        }
    return found


def exit_code(found: Mapping[str, Any]) -> int:
    if not all(found["kept"].values()):
        return 1
    parts = [part for name, part in found.items() if isinstance(part, dict) and name != "kept"]
    return 2 if not parts or any(NOT_MEASURED in part for part in parts) else 0


def verdicts(found: Mapping[str, Any]) -> str:
    return "\n".join(
        f"{'kept    ' if kept else 'NOT kept'}  {name}" for name, kept in found["kept"].items()
    )


def _machine() -> dict[str, Any]:
    return {
        "day": f"{datetime.now(tz=UTC):%Y-%m-%d}",
        "processors": os.cpu_count(),
        "python": platform.python_version(),
    }


def _clock() -> Callable[[str], None]:
    """Tells what goes on, and since when."""
    began = time.monotonic()

    def progress(text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - began), 60)
        print(f"{minutes:2d}:{seconds:02d}  {text}", file=sys.stderr, flush=True)

    return progress


if __name__ == "__main__":
    sys.exit(main())
