"""`make check`: everything that can be proved without starting anything.

python -m tools.check           every check
python -m tools.check NAME …    these only
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable

from tools import asyncapi, bodies, examples, outgoing, promtool, redocly, routes, rules
from tools.compat import gate
from tools.contract import ROOT, ContractError

CODE = ("examples", "generated", "impl", "migrations", "tools")
Check = Callable[[], list[str]]
SHOWN = 100


def command(*arguments: str) -> Check:
    """A check by a module of the environment: its output is its reasons."""

    def run() -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        said = (done.stdout + done.stderr).strip()
        return (said or f"exit status {done.returncode}").splitlines() if done.returncode else []

    return run


# The order is that of who must be right first: the contract, what is made of it, the code.
CHECKS: dict[str, tuple[str, Check]] = {
    "rules": ("the contract keeps our rules", rules.findings),
    "examples": ("every example fits its schema", examples.findings),
    "generated": ("generated/ is what the contract says", command("tools.generate", "--check")),
    "asyncapi": ("the events' document is AsyncAPI's", asyncapi.findings),
    "alerts": ("the alerts keep promtool's rules", promtool.findings),
    "redocly": ("the contract keeps redocly's rules", redocly.findings),
    "compat": ("what breaks a client is announced", gate.findings),
    "routes": ("routes and operations are the same set", routes.findings),
    "bodies": ("one strict reader reads what comes in", bodies.findings),
    "outgoing": ("what goes out goes through the guard", outgoing.findings),
    "ruff": ("the code keeps ruff's rules", command("ruff", "check", ".")),
    "bandit": (
        "the code keeps bandit's rules",
        command("bandit", "--quiet", "--configfile=pyproject.toml", "--recursive", *CODE),
    ),
    "secrets": ("no secret is committed", command("tools.supply.committed")),
    "format": ("the code is formatted", command("ruff", "format", "--check", ".")),
    # Several folders of tests have a conftest.py.
    "mypy": ("the types fit", command("mypy", "--explicit-package-bases")),
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CHECKS))
    names = parser.parse_args(arguments).names or list(CHECKS)
    unknown = set(names) - set(CHECKS)
    if unknown:
        parser.error(f"no such check: {', '.join(sorted(unknown))}; there is {', '.join(CHECKS)}")
    failed = [name for name in names if not passes(name)]
    if failed:
        print(f"\nfailed: {', '.join(failed)} (again: python -m tools.check {' '.join(failed)})")
    return 1 if failed else 0


def passes(name: str) -> bool:
    about, check = CHECKS[name]
    started = time.perf_counter()
    try:
        reasons = check()
    except ContractError as error:
        reasons = [str(error)]
    mark = "✗" if reasons else "✓"
    print(f"{mark} {name:<10} {about} ({time.perf_counter() - started:.1f} s)", flush=True)
    for line in reasons[:SHOWN]:
        print(f"    {line}")
    if len(reasons) > SHOWN:
        print(f"    … and {len(reasons) - SHOWN} lines more")
    return not reasons


if __name__ == "__main__":
    sys.exit(main())
