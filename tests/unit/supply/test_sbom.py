"""The list of what an installation consists of is whole, and the same each time."""

import json
import re
from pathlib import Path

import pytest

from tools.supply import sbom
from tools.supply.locked import RUNTIME, Package, read


def test_it_names_each_locked_package(tmp_path: Path) -> None:
    target = tmp_path / "sbom.json"
    sbom.main(target)
    document = json.loads(target.read_text())
    pinned = re.findall(r"^([a-z0-9._-]+)==([^ \\]+)", RUNTIME.read_text(), re.MULTILINE)
    assert len(pinned) > 50
    named = [(each["name"], each["version"]) for each in document["components"]]
    assert sorted(named) == sorted(pinned)
    assert document["bomFormat"] == "CycloneDX"
    assert all(each["purl"].startswith("pkg:pypi/") for each in document["components"])
    needs = {
        each["ref"].rpartition("-")[0]: each.get("dependsOn", [])
        for each in document["dependencies"]
    }
    assert any(ref.startswith("starlette-") for ref in needs["fastapi"])
    first = target.read_bytes()
    sbom.main(target)
    assert target.read_bytes() == first


def test_a_lock_is_read_with_its_markers_and_reasons(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(
        "a==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n"
        "    # via botcore (pyproject.toml)\n"
        "b-c==2.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n    # via\n"
        "    #   -c requirements/runtime.txt\n    #   a\n    #   d\n"
    )
    assert read(lock) == [
        Package("a", "1", None, ()),
        Package("b-c", "2.0", "sys_platform == 'win32'", ("a", "d")),
    ]
    lock.write_text("a>=1\n")
    with pytest.raises(ValueError, match="no pinned"):
        read(lock)
