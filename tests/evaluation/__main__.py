"""Routes real utterances by their meaning and says how well: make eval-routing DATA=<folder>

Exit codes: 0 measured, 2 the data cannot be used, or nothing could be run.
"""

import argparse
import asyncio
import sys
from pathlib import Path

import asyncpg

from impl import migrate
from impl.local.child import LocalError
from tests.evaluation.data import BadDataError, Data, read
from tests.evaluation.figures import figures
from tests.evaluation.measure import Measured, measure
from tests.evaluation.report import table, write
from tests.faults.world import Servers, world
from tests.servers import create_database, postgres_server
from tools.contract import ROOT
from tools.rules_benchmark import rules_only_microseconds

TEMPLATE = "evaluation_template"
SHORT_VAL = 1_000


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make eval-routing", description=__doc__)
    parser.add_argument("data", type=Path, help="a folder with a data.json in the form of CLINC150")
    parser.add_argument("--short", action="store_true", help=f"the first {SHORT_VAL} of val")
    given = parser.parse_args(arguments)
    try:
        data = read(given.data)
    except BadDataError as error:
        print(error, file=sys.stderr)
        return 2
    if given.short:
        data = Data(data.train, data.val[:SHORT_VAL], data.oos_val)
    _progress(
        f"{len(data.train)} utterances to learn, {len(data.val)} and {len(data.oos_val)} to route"
    )
    try:
        measured = asyncio.run(_run(data))
    except (LocalError, OSError, asyncpg.PostgresError, RuntimeError) as error:
        print(f"\nnothing could be measured: {error}", file=sys.stderr)
        return 2
    found = figures(measured.judged) | {
        "training_s": measured.training_s,
        "rss_mib": measured.rss_mib,
        "rss_without_mib": measured.rss_without_mib,
        "model_mib": measured.model_mib,
        "threshold": measured.threshold,
        "rules_only_us": round(rules_only_microseconds(), 1),
    }
    print("\n" + table(found) + "\n")
    for path in write(ROOT / "build", found, measured.judged):
        print(f"written: {path.relative_to(ROOT)}")
    return 0


async def _run(data: Data) -> Measured:
    async with postgres_server() as dsn:
        await migrate.upgrade(await create_database(dsn, TEMPLATE))
        async with world(Servers(dsn, TEMPLATE)) as one:
            return await measure(one, data, _progress)


def _progress(text: str) -> None:
    print(f"- {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
