"""`make release`: the contract as it stands becomes the one that later changes are compared with.

python -m tools.release                 every check must pass; then the snapshot and the changelog
python -m tools.release --provisional   only the snapshot, to try a change against; do not commit it
"""

import argparse
import re
import sys
from datetime import UTC, datetime

from tools import check
from tools.compat.gate import CHANGELOG, PROJECT, version
from tools.compat.released import RELEASED, current, write
from tools.contract import ROOT


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--provisional", action="store_true", help="no check, no changelog")
    if parser.parse_args(arguments).provisional:
        write(current(), version(PROJECT))
        print(f"wrote {RELEASED.relative_to(ROOT)}")
        return 0
    if check.main([]):
        return 1
    number = version(PROJECT)
    text = CHANGELOG.read_text(encoding="utf-8")
    CHANGELOG.write_text(dated(text, number, f"{datetime.now(UTC):%Y-%m-%d}"), encoding="utf-8")
    write(current(), number)
    print(
        f"\n{RELEASED.relative_to(ROOT)} and {CHANGELOG.relative_to(ROOT)} are {number}. "
        f"Commit them, tag v{number}, and raise the version with the next change."
    )
    return 0


def dated(changelog: str, number: str, day: str) -> str:
    """The changelog with what is unreleased under the version and the day."""
    heading = f"## Unreleased ({number})"
    if not re.search(rf"^{re.escape(heading)}$", changelog, re.MULTILINE):
        raise SystemExit(f"{CHANGELOG.name} has no heading `{heading}`, the version to release")
    return changelog.replace(heading, f"## {number} ({day})", 1)


if __name__ == "__main__":
    sys.exit(main())
