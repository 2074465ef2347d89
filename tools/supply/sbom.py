"""`make sbom`: what an installation consists of, as CycloneDX JSON in build/sbom.json.

It is made of the lock alone, without a network; alike gives the same bytes.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from tools.contract import ROOT
from tools.supply.locked import RUNTIME, Package, read, write_project

TARGET = ROOT / "build" / "sbom.json"
# Of uv's own, each new with every run.
OF_ONE_RUN = ("serialNumber",)


def main(target: Path = TARGET) -> int:
    packages = read(RUNTIME)
    document = sbom(packages, project_version())
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    print(f"{len(packages)} packages in {target}")
    return 0


def project_version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return str(project["project"]["version"])


def sbom(packages: list[Package], version: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder), packages, version)
        done = subprocess.run(
            [sys.executable, "-m", "uv", "export", "--frozen", "--offline", "--quiet",
             "--format=cyclonedx1.5", "--preview-features=sbom-export"],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"uv export failed:\n{done.stderr}")
    document: dict[str, Any] = json.loads(done.stdout)
    for member in OF_ONE_RUN:
        document.pop(member, None)
    document["metadata"].pop("timestamp", None)
    return document


if __name__ == "__main__":
    sys.exit(main())
