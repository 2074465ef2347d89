"""Every mutation is caught by the check that is named beside it: a gate must bite."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from tests.mutations.checks import AS_THEY_ARE, Servers, found_by
from tests.mutations.score import SCORE
from tests.mutations.table import TABLE, Mutation
from tests.mutations.tree import MYPY_CACHE, Tree, copy
from tools.contract import ROOT
from tools.extensions import EXTENSIONS

BUILD = ROOT / "build"
Found = dict[str, str]
WHATS = [mutation.what for mutation in TABLE]


async def _try_all(tree: Tree, servers: Servers, mutations: Sequence[Mutation]) -> Found:
    """The mutations one after another; before them each check finds nothing wrong."""
    for check in sorted({mutation.check for mutation in mutations}):
        if check.startswith("conform") and check != mutations[0].check:
            continue  # tests/contract/test_conform.py tries them all
        assert await found_by(check, tree, servers) == "", check
    found = {}
    # Those first that need generated/ as it is: the others leave there what they made.
    for mutation in sorted(mutations, key=_generates):
        with tree.changed(mutation.file, mutation.old, mutation.new):
            found[mutation.what] = await found_by(
                mutation.check, tree, servers, generate=_generates(mutation)
            )
    return found


def _generates(mutation: Mutation) -> bool:
    return mutation.check not in AS_THEY_ARE and not mutation.file.startswith("impl/")


@pytest_asyncio.fixture(scope="session")
async def found(
    postgres: str, valkey: str, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> Found:
    """What the checks said of each; on copies side by side, for much of it is waiting."""
    servers = Servers(postgres, valkey, migrated)
    running = [item for item in TABLE if item.check.startswith("conform")]
    still = [item for item in TABLE if item not in running]
    shares = [running[::2], running[1::2], still]
    folder: Path = tmp_path_factory.mktemp("mutants")
    trees = [copy(folder / f"tree{number}") for number in range(2)]
    trees.append(copy(folder / "tree2", MYPY_CACHE))
    done = await asyncio.gather(
        *(_try_all(tree, servers, share) for tree, share in zip(trees, shares, strict=True))
    )
    return {what: text for found in done for what, text in found.items()}


@pytest.mark.parametrize("what", WHATS)
def test_the_named_check_catches_it(what: str, found: Found) -> None:
    assert found[what]


def test_the_score_is_told(found: Found, record_property: Callable[[str, object], None]) -> None:
    lines = [f"{'✓' if found[item.what] else '✗'} {item.what}: {item.check}" for item in TABLE]
    caught = sum(bool(found[what]) for what in WHATS)
    lines.append(f"mutations: {caught} of {len(TABLE)} caught")
    record_property(SCORE, lines)
    BUILD.mkdir(exist_ok=True)
    (BUILD / "mutations.txt").write_text("\n".join(lines) + "\n")


def test_the_table_is_whole() -> None:
    assert len(TABLE) >= 30
    assert len(set(WHATS)) == len(TABLE)
    told = " ".join(f"{item.what} {item.file} {item.old} {item.new}" for item in TABLE)
    assert [name for name in EXTENSIONS if name not in told] == []
