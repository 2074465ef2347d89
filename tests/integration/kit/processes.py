"""Plugins as their teams start them: `python plugin.py` in a folder, with a token that we chose."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.patience import PATIENT_SECONDS
from tests.ports import spare_port

TOKEN = "a-token-of-the-tests"
WITH_TOKEN = {"BOTCORE_INVOCATION_TOKEN": TOKEN}


@asynccontextmanager
async def plugin_process(
    folder: Path, environment: Mapping[str, str] = WITH_TOKEN
) -> AsyncIterator[str]:
    """Its URL, once it serves. It must end well when it is asked to."""
    port = spare_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "plugin.py"),
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PORT": str(port), **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(PATIENT_SECONDS):
            line = await process.stderr.readline()
        assert b"serving on" in line, line
        reading = asyncio.create_task(process.stderr.read())  # or it would block on a full pipe
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        async with asyncio.timeout(PATIENT_SECONDS):
            assert await process.wait() == 0
        assert b"failed (trace" not in await reading  # a mistake of its own
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def botcore(
    *arguments: str,
    cwd: Path | None = None,
    run: Sequence[str] = ("-m", "impl.cli"),
    token: str | None = None,
) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the command."""
    root = Path(__file__).parents[3]
    given = {} if token is None else {"BOTCORE_INVOCATION_TOKEN": token}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *run, *arguments),
        cwd=cwd or root,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(root), **given},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()
