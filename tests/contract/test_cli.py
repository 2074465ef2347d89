"""`st run` as a user runs it, over real HTTP, with everything that it has."""

import asyncio
import json
import os
import sys
import tomllib
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from tests.contract.credentials import Credentials
from tests.contract.reached import CONTRACT
from tests.contract.target import fuzz_target

ROOT = CONTRACT.parents[1]
# Read at import: no test sees BOTCORE_… variables.
SECONDS = int(os.environ.get("BOTCORE_TEST_FUZZ_SECONDS", "75"))
SEED = os.environ.get("BOTCORE_TEST_FUZZ_SEED", "20261122")


async def test_st_run_finds_nothing_and_reaches_every_success(
    postgres: str, valkey: str, migrated: str, tmp_path: Path
) -> None:
    credentials, auth, known = Credentials(), tmp_path / "auth.json", tmp_path / "known.json"
    credentials.write(auth)
    async with fuzz_target(postgres, valkey, migrated, credentials) as target:
        known.write_text(json.dumps(asdict(target.known)))
        files = {"FUZZ_AUTH": str(auth), "FUZZ_KNOWN": str(known)}
        environment = {**os.environ, **files, "PYTHONPATH": str(ROOT)}
        options = {"--url": target.known.url, "--max-time": str(SECONDS), "--seed": SEED}
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("st"),
            *("run", str(CONTRACT), "--no-color", *chain.from_iterable(options.items())),
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
    sys.stdout.write(output.decode())
    assert process.returncode == 0, output.decode()[-20_000:]
    assert target.reached.missed() == []
    assert target.other_bot_asked


def test_the_configuration_leaves_every_check_on() -> None:
    configuration = tomllib.loads((ROOT / "schemathesis.toml").read_text())
    assert configuration["checks"] == {"enabled": True}
    assert configuration["warnings"]["fail-on"] is True
    assert all(phase["enabled"] for phase in configuration["phases"].values())
    for operation in configuration["operations"]:
        assert set(operation) <= {"include-operation-id", "generation"}
