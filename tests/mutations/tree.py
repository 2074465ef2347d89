"""A copy of the project in which one thing at a time is changed."""

import asyncio
import compileall
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools import redocly
from tools.contract import ROOT

COMPILED = ("generated", "impl", "migrations", "tools")
FOLDERS = (
    "contracts", "deploy", "docs", "examples", "generated", "impl", "migrations", "tests", "tools",
)  # fmt: skip
MYPY_CACHE = ".mypy_cache"  # of `make check`, where it ran before
FILES = ("README.md", "package-lock.json", "package.json", "pyproject.toml", "redocly.yaml")
LONGEST_SECONDS = 600  # of mypy without a cache, on a machine that does other things too


@dataclass(frozen=True)
class Done:
    code: int
    output: str


@dataclass(frozen=True)
class Tree:
    root: Path

    @contextmanager
    def changed(self, file: str, old: str, new: str) -> Iterator[None]:
        """Within it the first `old` is `new`; a mutation that changes nothing is a mistake."""
        path = self.root / file
        text = path.read_text()
        assert old in text, f"{file} does not hold {old!r}"
        assert old != new
        path.write_text(text.replace(old, new, 1))
        try:
            yield
        finally:
            path.write_text(text)

    async def run(self, *command: str, **more: str) -> Done:
        """A module of the copy as `python -m`, with these variables more."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *command, cwd=self.root, env=self.environment(**more),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            output, _ = await asyncio.wait_for(process.communicate(), LONGEST_SECONDS)
        except TimeoutError:
            process.kill()
            raise
        assert process.returncode is not None
        return Done(process.returncode, output.decode())

    def environment(self, **more: str) -> dict[str, str]:
        """In which the copy's modules come before the project's own."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("BOTCORE_")}
        return {**kept, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1", **more}


def copy(target: Path, *more: str) -> Tree:
    """Of the project, with these folders more where they are there.

    What is compiled is there too: only what changes is compiled again, each time that it is run.
    """
    for name in COMPILED:
        compileall.compile_dir(ROOT / name, quiet=1)
    for name in (*FOLDERS, *more):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, symlinks=True)
    for name in FILES:
        shutil.copy2(ROOT / name, target / name)  # as old as it was: npm has nothing to do
    redocly.install()
    (target / "node_modules").symlink_to(ROOT / "node_modules")
    return Tree(target)
