"""A copy of the contract that a test may break."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.contract import CONTRACT

Edit = Callable[[str, str, str], None]


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    folder = tmp_path / "contract"
    shutil.copytree(CONTRACT, folder)
    return folder


@pytest.fixture
def edit(contract: Path) -> Edit:
    """Replaces the first `old` of a file of the copy by `new`; what is not there is a mistake."""

    def replace(name: str, old: str, new: str) -> None:
        path = contract / name
        text = path.read_text()
        assert old in text, f"{name} does not hold {old!r}"
        path.write_text(text.replace(old, new, 1))

    return replace
