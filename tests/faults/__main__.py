"""Breaks the system on purpose and sees what is lost: make faults [ONLY=plugins] [SHORT=1]

Exit codes: 0 every row passed, 1 one did not, 2 one could not be run.
"""

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from impl import migrate
from impl.local.child import LocalError
from tests.faults.groups import Fault, run_rows
from tests.faults.instances.rows import ROWS as INSTANCES
from tests.faults.plugins.rows import ROWS as PLUGINS
from tests.faults.plugins.rows import TESTED_ROWS as PLUGINS_IN_SHORT
from tests.faults.results import Row, exit_code, page, remarks, table, write_json
from tests.faults.scale import LONG, SHORT, Scale
from tests.faults.stores.rows import ROWS as STORES
from tests.faults.world import Servers
from tests.servers import create_database, postgres_server
from tools.contract import ROOT

GROUPS: dict[str, list[Fault]] = {"plugins": PLUGINS, "instances": INSTANCES, "stores": STORES}
# What a bad neighbour costs in milliseconds is not told where two rows run at once.
IN_SHORT = GROUPS | {"plugins": PLUGINS_IN_SHORT}
PAGE = ROOT / "docs" / "RELIABILITY.md"
COMMAND = "make faults ARGS=--document"
TEMPLATE = "faults_template"


def main(arguments: list[str] | None = None) -> int:
    given = _parsed(arguments)
    names, groups = given.only or list(GROUPS), IN_SHORT if given.short else GROUPS
    faults = [fault for name in names for fault in groups[name]
              if not given.row or given.row in fault.name]  # fmt: skip
    if not faults:
        print(f"no row has {given.row!r} in its name", file=sys.stderr)
        return 2
    scale = SHORT if given.short else LONG
    started = time.monotonic()
    try:
        rows = asyncio.run(_run(faults, scale, given.seed))
    except (LocalError, OSError, asyncpg.PostgresError) as error:
        print(f"\nnothing could be run: {error}", file=sys.stderr)
        return 2
    seconds = time.monotonic() - started
    print("\n" + table(rows) + "\n\n" + remarks(rows))
    path = write_json(rows, given.out, groups=names, scale=scale.name, seed=given.seed,
                      seconds=round(seconds, 1))  # fmt: skip
    print(f"\n{len(rows)} rows in {seconds:.0f} s, seed {given.seed}; every figure: {path}")
    if given.document:
        day = f"{datetime.now(tz=UTC):%Y-%m-%d}"
        old = PAGE.read_text() if PAGE.exists() else ""
        whole = not given.row
        PAGE.write_text(page(rows, old, command=COMMAND, seed=given.seed, day=day, whole=whole))
        print(f"written: {PAGE.relative_to(ROOT)}")
    return exit_code(rows)


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", default=[], metavar="GROUP", choices=GROUPS)
    parser.add_argument("--row", default="", metavar="WORDS", help="rows with these in their name")
    parser.add_argument(
        "--short", action="store_true", help="fewer rounds, two rows at once: five minutes"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "build", metavar="FOLDER")
    parser.add_argument("--document", action="store_true", help="write docs/RELIABILITY.md of it")
    given = parser.parse_args(arguments)
    if given.document and given.short:
        parser.error("--document is of a long run")
    return given


async def _run(faults: list[Fault], scale: Scale, seed: int) -> list[Row]:
    async with postgres_server() as dsn:
        await migrate.upgrade(await create_database(dsn, TEMPLATE))
        return await run_rows(faults, Servers(dsn, TEMPLATE), scale, seed, _progress)


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
