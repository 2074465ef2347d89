"""Copies of the core with one mistake each, and what a row finds in them."""

import asyncio
import random
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.groups import Fault, Run, run_row
from tests.faults.results import Row
from tests.faults.scale import SHORT
from tests.faults.world import Servers
from tools.contract import ROOT

AT_ONCE = 2


@dataclass(frozen=True)
class Break:
    """In `file` the first `old` is `new`; what the row `row` finds then matches `words`."""

    row: str
    file: str
    old: str
    new: str
    words: str


def broken(folder: Path, file: str, old: str, new: str) -> Path:
    """A copy of the core in which the first `old` of `file` is `new`."""
    for name in ("generated", "impl", "migrations"):
        shutil.copytree(ROOT / name, folder / name)  # what is compiled too: it starts at once
    text = (folder / file).read_text()
    assert old in text, f"{file} does not hold {old!r}"
    (folder / file).write_text(text.replace(old, new, 1))
    return folder


async def broken_rows(
    breaks: Mapping[str, Break], faults: Sequence[Fault], postgres: str, template: str,
    folders: pytest.TempPathFactory,
) -> dict[str, Row]:  # fmt: skip
    """By the break's name: the row, in its short form, on the core that is so broken."""
    free, of_name = asyncio.Semaphore(AT_ONCE), {fault.name: fault for fault in faults}

    async def one(name: str, made: Break) -> Row:
        root = broken(folders.mktemp("core"), made.file, made.old, made.new)
        servers = Servers(postgres, template, root)
        async with free:
            run = Run(servers, SHORT, random.Random(name), lambda _: None)
            return await run_row(of_name[made.row], run)

    rows = await asyncio.gather(*(one(*each) for each in breaks.items()))
    return dict(zip(breaks, rows, strict=True))


def assert_found(row: Row, made: Break) -> None:
    assert row.verdict == "FAIL", (row.not_run, row.faults)
    assert any(re.search(made.words, fault) for fault in row.faults), row.faults
