"""Tries the body reader and the URL guard with whatever hypothesis thinks of: make fuzz [SHORT=1]

Exit codes: 0 nothing was found, 1 something was, 2 it could not be run.
"""

import argparse
import sys
import time
import traceback
from dataclasses import dataclass
from itertools import count

from tests.fuzz import bodies, urls
from tests.fuzz.properties import Property

PROPERTIES: tuple[Property, ...] = (*bodies.PROPERTIES, *urls.PROPERTIES)
LONG, SHORT = 600.0, 30.0  # seconds, all properties together
ROUND = 100  # examples of one seed; few, so that each gets its share of the time
TELL_SECONDS = 10.0


@dataclass
class Tried:
    """Of one property: how many rounds, and in what time."""

    rounds: int = 0
    seconds: float = 0.0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [each.name for each in PROPERTIES]
    parser.add_argument("--only", action="append", metavar="NAME", choices=names,
                        help=f"one of {', '.join(names)}; may be repeated")  # fmt: skip
    parser.add_argument(
        "--short", action="store_true", help=f"{SHORT:.0f} s in place of {LONG:.0f}"
    )
    parser.add_argument("--seconds", type=float, help="all properties together")
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    given = parser.parse_args(arguments)
    chosen = [each for each in PROPERTIES if not given.only or each.name in given.only]
    seconds = given.seconds or (SHORT if given.short else LONG)
    return _run(chosen, seconds, given.seed)


def _run(chosen: list[Property], seconds: float, seed: int) -> int:
    """In turn, a round of each, until the time is over: each turn has a seed of its own."""
    tried = {each.name: Tried() for each in chosen}
    began = told = time.monotonic()
    turns = ((number, each) for number in count(seed) for each in chosen)
    number = seed
    for number, each in turns:
        started = time.monotonic()
        if started >= began + seconds:
            break
        if started - told >= TELL_SECONDS:
            told = started
            print(f"… {told - began:.0f} of {seconds:.0f} s, seed {number}", flush=True)
        try:
            each.try_out(ROUND, number)
        except Exception:  # noqa: BLE001  # whatever a property raises is what was looked for
            traceback.print_exc()
            print(f"\n✗ {each.name}: found after {started - began:.0f} s; again: "
                  f"python -m tests.fuzz --only {each.name} --seed {number}",
                  file=sys.stderr)  # fmt: skip
            return 1
        tried[each.name].rounds += 1
        tried[each.name].seconds += time.monotonic() - started
    for name, done in tried.items():
        print(f"✓ {name:<15} {done.rounds * ROUND:>9,} examples in {done.seconds:.0f} s")
    print(f"nothing was found in {time.monotonic() - began:.0f} s, seeds {seed} to {number}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
