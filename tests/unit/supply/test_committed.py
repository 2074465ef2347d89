"""What looks like a secret stops `make check`, unless the baseline has a reason."""

from pathlib import Path

import pytest

from impl.tokens.format import mint
from tools.supply import committed

# Put together here: this file is looked through, too.
AWS = "AKIA" + "Q3EGRJ4KD5WXNP2T"
PASSWORD = "pass" + 'word = "' + "hX9" + 'qT2vLm5"\n'


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_x.py").write_text(f'KEY = "{AWS}"\n{PASSWORD}')
    (tmp_path / "impl.py").write_text(f"x = 1\n{PASSWORD}")
    (tmp_path / "clean.py").write_text("x = 1\n")
    return tmp_path


def scanned(root: Path) -> committed.Found:
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    return committed.scan(root, names)


def test_forms_are_seen_everywhere_and_looks_outside_of_tests(files: Path) -> None:
    found = scanned(files)
    assert {name: list(digests.values()) for name, digests in found.items()} == {
        "tests/test_x.py": ["line 1: AWS Access Key"],
        "impl.py": ["line 2: Secret Keyword"],
    }
    assert [line.partition(",")[0] for line in committed.compare(found, {})] == list(found)


def test_the_baseline_needs_a_reason_and_nothing_old(files: Path) -> None:
    found = scanned(files)
    known = {name: {"reason": "made up", "digests": list(found[name])} for name in found}
    assert list(committed.compare(found, known)) == []
    known["impl.py"]["reason"] = committed.UNKNOWN
    assert list(committed.compare(found, known)) == ["baseline.yaml: impl.py has no reason"]
    known["impl.py"] = {"reason": "made up", "digests": [*found["impl.py"], "0" * 40]}
    [told] = committed.compare(found, known)
    assert "has 1 no more" in told


def test_a_token_of_ours_has_no_excuse(files: Path) -> None:
    good = mint("admin").plaintext
    (files / "tests" / "test_x.py").write_text(
        f"x = 1\n{good}\n{good[:-1]}{'0' if good[-1] != '0' else '1'}\n"
    )
    found = scanned(files)["tests/test_x.py"]
    assert list(found.values()) == ["line 2: a token of ours"]
