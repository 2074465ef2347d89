"""Tries the contract on a deployment: python -m tools.conform URL

Keys are made for the run where BOTCORE_DATABASE_URL is the deployment's database, or where `make
run` started the deployment here; all are revoked in the end. Else they come from the environment:
BOTCORE_ADMIN_KEY (every scope) and BOTCORE_REGISTRY_KEY, and spare ones that let more be tried:
BOTCORE_ADMIN_KEY_NARROW, _EXPIRED and _REVOKED, and the same of BOTCORE_REGISTRY_KEY.

Exit codes: 0 the contract is kept, 1 it is broken, 2 nothing could be tried.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from impl.local.directory import Directory
from tools.bundler import bundle
from tools.conform.client import NotThereError
from tools.conform.keys import issued_keys
from tools.conform.results import Results, summary, table, write
from tools.conform.run import Target, conform
from tools.conform.world import Keys, SetupError
from tools.contract import ROOT, Json, operations

SCHEMES = {"AdminKey": "BOTCORE_ADMIN_KEY", "RegistryKey": "BOTCORE_REGISTRY_KEY"}
STATES = ("narrow", "expired", "revoked")


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


def database_of(url: str, directory: Directory, environment: Mapping[str, str]) -> str | None:
    """Where keys can be made: what is set, or the database that `make run` started with `url`."""
    if given := environment.get("BOTCORE_DATABASE_URL"):
        return given
    ours = directory.read_environment().get("BOTCORE_URL", "")
    return directory.read_database_url() if ours.rstrip("/") == url.rstrip("/") else None


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
    contract = bundle("openapi.yaml")
    names = [operation.id for operation in operations(contract)]
    if unknown := sorted(set(given.only) - set(names)):
        parser.error(f"--only: the contract has no {', '.join(unknown)}; it has {', '.join(names)}")
    try:
        results = asyncio.run(_run(contract, given))
    except (NotThereError, SetupError, OSError, asyncpg.PostgresError) as error:
        print(f"\nnothing could be tried: {error}", file=sys.stderr)
        return 2
    print("\n" + table(results, [name for name in names if not given.only or name in given.only]))
    print("\n" + summary(results))
    write(results, given.url, given.out)
    print(f"every case: {given.out}/conform.json, and conform.xml for JUnit")
    return 1 if results.failures else 0


async def _run(contract: Json, given: argparse.Namespace) -> Results:
    database = database_of(given.url, Directory(ROOT / ".botcore"), os.environ)
    keys = keys_from(os.environ)
    if keys is not None or database is None:
        if keys is None:
            raise SetupError(f"set {' and '.join(SCHEMES.values())} to keys of {given.url}")
        return await conform(contract, _target(given, keys), _progress)
    async with issued_keys(database) as made:
        return await conform(contract, _target(given, made), _progress)


def _target(given: argparse.Namespace, keys: Keys) -> Target:
    return Target(given.url, keys, given.host, frozenset(given.only))


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
