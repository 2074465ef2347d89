"""A copy of the contract whose files a test changes and puts back."""

import shutil
from pathlib import Path

import pytest

from tools.contract import CONTRACT


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contract") / "v1alpha"
    shutil.copytree(CONTRACT, folder)
    return folder
