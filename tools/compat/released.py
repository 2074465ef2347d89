"""The contract as it was last released, in `contracts/released/v1alpha/`, and as it is now."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.bundler import error_codes, load
from tools.contract import CONTRACT, ROOT, ContractError, Json

RELEASED = ROOT / "contracts" / "released" / CONTRACT.name
DOCUMENTS = ("openapi", "plugin.openapi", "events.asyncapi")
ERRORS = "errors"
RELEASE = "release"


@dataclass(frozen=True)
class Contract:
    """Every document that holds a promise, bundled."""

    documents: dict[str, Json]
    codes: dict[str, Json]


def current(folder: Path = CONTRACT) -> Contract:
    documents = {name: load(f"{name}.yaml", folder).document for name in DOCUMENTS}
    return Contract(documents, error_codes(folder))


def read(folder: Path = RELEASED) -> Contract:
    return Contract({name: _json(folder, name) for name in DOCUMENTS}, _json(folder, ERRORS))


def releases(folder: Path = RELEASED) -> list[Json]:
    """Each release, the latest last: its version, and the versions of the API that it served."""
    return list(_json(folder, RELEASE)["releases"])


def write(contract: Contract, version: str, folder: Path = RELEASED) -> None:
    before = releases(folder) if folder.is_dir() else []
    served = sorted({path.split("/")[2] for path in _paths(contract) if path.startswith("/api/")})
    entry = {"version": version, "serves": served}
    others = [release for release in before if release["version"] != version]
    folder.mkdir(parents=True, exist_ok=True)
    parts = {**contract.documents, ERRORS: contract.codes, RELEASE: {"releases": [*others, entry]}}
    for name, value in parts.items():
        text = json.dumps(value, indent=1, ensure_ascii=False) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def _paths(contract: Contract) -> list[str]:
    return list(contract.documents["openapi"]["paths"])


def _json(folder: Path, name: str) -> Any:
    path = folder / f"{name}.json"
    if not path.is_file():
        raise ContractError(f"{path}: no such file; `make release` writes it")
    return json.loads(path.read_text(encoding="utf-8"))
