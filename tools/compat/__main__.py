"""What changed since the last release.

python -m tools.compat           every difference to the released contract, the breaking ones first
"""

import argparse
import sys

from tools.compat.gate import Gate
from tools.contract import ContractError


def main(arguments: list[str] | None = None, gate: Gate | None = None) -> int:
    """1 where a breaking change is not announced."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args(arguments)
    gate = gate or Gate()
    try:
        changes, wanting = gate.changes(), gate.findings()
    except ContractError as error:
        print(error, file=sys.stderr)
        return 1
    for change in changes:
        print(f"{'✗' if change.breaks else '✓'} {change.kind:<10} {change}")
    if not changes:
        some = gate.released.is_dir()
        print(
            "nothing changed since the last release"
            if some
            else "nothing is released yet, so nothing can break; `make release` keeps the contract"
        )
    for line in wanting:
        print(f"! {line}")
    return 1 if wanting else 0


if __name__ == "__main__":
    sys.exit(main())
