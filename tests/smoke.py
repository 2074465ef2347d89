"""Runs tools/smoke.sh as an operator does."""

import asyncio
import os
from dataclasses import dataclass

from tests.patience import PATIENT_SECONDS
from tools.contract import ROOT


@dataclass(frozen=True)
class Smoked:
    code: int
    told: str


async def smoke(*words: str, **variables: str) -> Smoked:
    """`variables` are the script's, without BOTCORE_."""
    process = await asyncio.create_subprocess_exec(
        *("sh", str(ROOT / "tools" / "smoke.sh"), *words),
        env={"PATH": os.environ["PATH"]} | {f"BOTCORE_{k}": v for k, v in variables.items()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), PATIENT_SECONDS)
    assert process.returncode is not None
    return Smoked(process.returncode, out.decode())
