"""The same contract gives the same bytes, and a tree that is not of it is noticed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import generate
from tools.contract import ROOT


def generated(folder: Path, hash_seed: str) -> dict[str, bytes]:
    command = "import sys, pathlib, tools.generate as g; g.generate(pathlib.Path(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", command, str(folder)],
        cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": hash_seed, "TZ": f"UTC-{hash_seed}"},
        check=True, timeout=60,
    )  # fmt: skip
    return tree(folder)


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_same_contract_gives_the_same_bytes(tmp_path: Path) -> None:
    first = generated(tmp_path / "first", "1")
    assert first == generated(tmp_path / "second", "2")
    assert first == tree(ROOT / "generated")


def test_every_python_file_says_that_it_is_generated() -> None:
    for name, content in tree(ROOT / "generated").items():
        if name.endswith(".py"):
            assert content.decode().startswith(generate.HEADER), name


def test_generated_code_imports_nothing_of_impl() -> None:
    for name, content in tree(ROOT / "generated").items():
        assert b"import impl" not in content, name
        assert b"from impl" not in content, name


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    target = tmp_path / "generated"
    shutil.copytree(ROOT / "generated", target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def test_a_fresh_tree_passes_the_check(copy: Path) -> None:
    assert generate.main(["--check"], copy) == 0


def test_the_check_notices_what_differs(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy / "errors.py").write_text((copy / "errors.py").read_text() + "\n")
    (copy / "runtime" / "trace.py").unlink()
    (copy / "extra.py").write_text("")
    before = tree(copy)
    assert generate.main(["--check"], copy) == 1
    said = capsys.readouterr().err.splitlines()
    assert [line.split()[1] for line in said] == [
        "generated/errors.py",
        "generated/extra.py",
        "generated/runtime/trace.py",
    ]
    assert tree(copy) == before


def test_generating_repairs_what_differs(copy: Path) -> None:
    (copy / "errors.py").write_text("")
    (copy / "runtime" / "trace.py").unlink()
    (copy / "extra.py").write_text("")
    assert generate.main([], copy) == 0
    assert tree(copy) == tree(ROOT / "generated")


def test_what_stands_beside_is_compared_and_repaired_too(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copy.parent
    assert generate.main(["--check"], copy, root) == 1
    said = capsys.readouterr().err.splitlines()
    assert {line.split()[1] for line in said} == set(generate.beside())
    assert not (root / "deploy").exists()
    assert generate.main([], copy, root) == 0
    assert generate.main(["--check"], copy, root) == 0
    for name, text in generate.beside().items():
        assert (root / name).read_text() == text == (ROOT / name).read_text()
