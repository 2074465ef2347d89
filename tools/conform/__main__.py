"""Tries the contract on a deployment: python -m tools.conform URL

Keys come from the environment: BOTCORE_ADMIN_KEY (every scope) and BOTCORE_REGISTRY_KEY, or from
.botcore/dev.env where that is of this URL. Spare keys let more be tried: BOTCORE_ADMIN_KEY_NARROW,
_EXPIRED and _REVOKED, and the same of BOTCORE_REGISTRY_KEY.

Exit codes: 0 the contract is kept, 1 it is broken, 2 nothing could be tried.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.bundler import bundle
from tools.conform.client import NotThereError
from tools.conform.results import summary, table, write
from tools.conform.run import Target, conform
from tools.conform.world import Keys, SetupError
from tools.contract import ROOT, operations

SCHEMES = {"AdminKey": "BOTCORE_ADMIN_KEY", "RegistryKey": "BOTCORE_REGISTRY_KEY"}
STATES = ("narrow", "expired", "revoked")
DEV_ENV = ROOT / ".botcore" / "dev.env"


def keys_from(environment: Mapping[str, str]) -> Keys | None:
    """None where one of the two that nothing works without is missing."""
    given = {scheme: environment.get(name) for scheme, name in SCHEMES.items()}
    admin, registry = given["AdminKey"], given["RegistryKey"]
    if not admin or not registry:
        return None
    spare = {
        (scheme, state): environment[f"{name}_{state.upper()}"]
        for scheme, name in SCHEMES.items()
        for state in STATES
        if environment.get(f"{name}_{state.upper()}")
    }
    return Keys(admin, registry, spare)


def development(url: str, path: Path = DEV_ENV) -> dict[str, str]:
    """What `make run` wrote, where `url` is the service that it started."""
    if not path.is_file():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    values = {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}
    return values if values.get("BOTCORE_URL", "").rstrip("/") == url.rstrip("/") else {}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="make conform",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", help="the deployment, http://host:port")
    parser.add_argument("--host", default="127.0.0.1", help="where it reaches this machine")
    parser.add_argument("--only", action="append", default=[], metavar="OPERATION")
    parser.add_argument("--out", type=Path, default=ROOT / "build", metavar="FOLDER")
    given = parser.parse_args(arguments)
    keys = keys_from({**development(given.url), **os.environ})
    if keys is None:
        print(f"Set {' and '.join(SCHEMES.values())} to keys of {given.url}.", file=sys.stderr)
        return 2
    contract = bundle("openapi.yaml")
    target = Target(given.url, keys, given.host, frozenset(given.only))
    try:
        results = asyncio.run(conform(contract, target, _progress))
    except (NotThereError, SetupError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    names = [operation.id for operation in operations(contract)]
    print("\n" + table(results, [name for name in names if not given.only or name in given.only]))
    print("\n" + summary(results))
    write(results, given.url, given.out)
    return 1 if results.failures else 0


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
