"""Locks hold pins and hashes: where packages come from is the machine's own matter."""

import pytest

from tools.contract import ROOT

LOCKS = (
    "package-lock.json",
    *(f"requirements/{name}.txt" for name in ("runtime", "dev", "bench")),
)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_no_address(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    assert [line for line in lines if "://" in line] == []
