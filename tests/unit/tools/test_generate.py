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
    assert first == {name: (ROOT / name).read_bytes() for name in first}
    whole = [f"{part}/{name}" for part in generate.OURS for name in tree(ROOT / part)]
    assert set(whole) < set(first)


def test_every_python_file_says_that_it_is_generated() -> None:
    for name, content in tree(ROOT / "generated").items():
        if name.endswith(".py"):
            assert content.decode().startswith(generate.HEADER), name


def test_generated_code_imports_nothing_of_impl() -> None:
    for name, content in tree(ROOT / "generated").items():
        assert b"import impl" not in content, name
        assert b"from impl" not in content, name


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("paths/users.yaml", "x-error-codes", "x-unknown", "paths/users.yaml#/post: lacks x-error"),
        ("paths/users.yaml", "UserUpsertV1.yaml", "Gone.yaml", "schemas/Gone.yaml: no such file"),
        ("paths/users.yaml", "post:", "post: [", "paths/users.yaml: not YAML"),
    ],
)
def test_a_contract_that_is_not_whole_is_told_by_its_rules(
    tmp_path: Path, name: str, old: str, new: str, said: str
) -> None:
    for part in ("tools", "contracts", "generated", "impl"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignored)
    path = tmp_path / "contracts" / "v1alpha" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    done = subprocess.run(
        [sys.executable, "-m", "tools.generate"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for part in ("generated", "docs", "deploy"):
        unwanted = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, tmp_path / part, ignore=unwanted)
    return tmp_path


def test_a_fresh_tree_passes_the_check(copy: Path) -> None:
    assert generate.main(["--check"], copy) == 0


def test_the_check_notices_what_differs(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(copy)
    before = tree(copy)
    assert generate.main(["--check"], copy) == 1
    said = capsys.readouterr().err.splitlines()
    assert [line.split()[1] for line in said] == [
        "deploy/alerts.yaml",
        "docs/CONTRACTS/EVENTS.md",
        "docs/CONTRACTS/YESTERDAY.md",
        "docs/TRIGGERS.md",
        "generated/errors.py",
        "generated/extra.py",
        "generated/runtime/trace.py",
    ]
    assert tree(copy) == before


def test_generating_repairs_what_differs(copy: Path) -> None:
    before = tree(copy)
    spoil(copy)
    assert generate.main([], copy) == 0
    assert tree(copy) == before


def spoil(copy: Path) -> None:
    """A file of each part changed, one gone and one too many."""
    contracts, generated = copy / "docs" / "CONTRACTS", copy / "generated"
    (contracts / "EVENTS.md").write_text("")
    (contracts / "YESTERDAY.md").write_text("")
    (copy / "docs" / "TRIGGERS.md").unlink()
    (copy / "deploy" / "alerts.yaml").write_text("groups: []\n")
    (generated / "errors.py").write_text((generated / "errors.py").read_text() + "\n")
    (generated / "runtime" / "trace.py").unlink()
    (generated / "extra.py").write_text("")
