"""The checks that a mutation is tried with. Each says what it found; nothing is a survivor."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutations.tree import Done, Tree
from tests.ports import spare_port
from tests.servers import create_database, drop_database

# They compare what stands there, and generate nothing.
SAID = {"rules": ".yaml", "generated": "stale: ", "compat": "breaking"}
AS_THEY_ARE = set(SAID)
UNIT = ("tests/unit/runtime/test_edge.py", "tests/unit/runtime/test_promises.py",
        "tests/unit/runtime/test_streams.py")  # fmt: skip


@dataclass(frozen=True)
class Servers:
    postgres: str
    valkey: str
    template: str


async def found_by(check: str, tree: Tree, servers: Servers, *, generate: bool = True) -> str:
    """What the check said of the tree as it is now; empty where it found nothing."""
    if check in AS_THEY_ARE:
        found = _failure(await tree.run("tools.check", check), 1)
        assert not found or SAID[check] in found, found  # and not that it could not run
        return found
    if generate:
        generated = await tree.run("tools.generate")
        assert generated.code == 0, generated.output
    if check == "mypy":
        return _failure(await tree.run("mypy", "--explicit-package-bases", "impl"), 1)
    if check == "unit":
        return _failure(await tree.run("pytest", "-q", "-x", "-p", "no:cacheprovider", *UNIT), 1)
    _, operation, column = check.split()
    return await _conform(tree, servers, operation, column)


def _failure(done: Done, code: int) -> str:
    """A check that could not run found nothing: that is a mistake of the table."""
    assert done.code in {0, code}, done.output
    return done.output if done.code else ""


async def _conform(tree: Tree, servers: Servers, operation: str, column: str) -> str:
    async with _serving(tree, servers) as (url, database):
        with tempfile.TemporaryDirectory() as out:
            options = ("--only", operation, "--out", out)
            done = await tree.run("tools.conform", url, *options, BOTCORE_DATABASE_URL=database)
            _failure(done, 1)
            report = json.loads((Path(out) / "conform.json").read_text())
    faults = [
        f"{case['case']}: {case['fault']}"
        for case in report["cases"]
        if (case["operation"], case["column"]) == (operation, column) and case["fault"]
    ]
    return "; ".join(faults)


@asynccontextmanager
async def _serving(tree: Tree, servers: Servers) -> AsyncIterator[tuple[str, str]]:
    """The copy's own API on a database of its own, and that database."""
    database = await create_database(
        servers.postgres, f"mutant_{tree.root.name}", template=servers.template
    )
    port = spare_port()
    settings = {
        "BOTCORE_DATABASE_URL": database,
        "BOTCORE_REDIS_URL": servers.valkey,
        "BOTCORE_SECRET_KEY": "a mutant's secret key, long enough",
        "BOTCORE_DEVELOPMENT": "true",
        "BOTCORE_PORT": str(port),
        "BOTCORE_LOG_LEVEL": "error",
        "BOTCORE_CALL_DEADLINE_SECONDS": "1",
        "BOTCORE_CATALOGUE_REFRESH_SECONDS": "0.05",
        "BOTCORE_UNREADY_SECONDS": "0",
        "BOTCORE_DRAIN_SECONDS": "0.1",
        "BOTCORE_WORK_WAIT_SECONDS": "60",  # a busy machine refuses nobody
    }
    try:
        async with _process(tree, settings):
            yield f"http://127.0.0.1:{port}", database
    finally:
        await drop_database(database)


@asynccontextmanager
async def _process(tree: Tree, settings: dict[str, str]) -> AsyncIterator[None]:
    """`botcore serve`, which says when it is ready; what it logs is shown where it is not."""
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "impl.cli", "serve", cwd=tree.root, pass_fds=(writing,),
            env=tree.environment(**settings, BOTCORE_READY_FD=str(writing)),
            stdout=log, stderr=log,
        )  # fmt: skip
        os.close(writing)
        try:
            ready = await asyncio.to_thread(os.read, reading, 6)
            log.seek(0)
            assert ready, log.read().decode()
            yield
        finally:
            os.close(reading)
            if process.returncode is None:
                process.terminate()
            await process.wait()
