"""Each extension is enforced: without it the generated edge is another."""

from pathlib import Path

import pytest

from tools.bundler import load
from tools.contract import CONTRACT, Json, walk
from tools.extensions import EXTENSIONS
from tools.generate import write_service

OF_OPERATIONS = [
    name for name, extension in EXTENSIONS.items() if extension.place(("paths", "/x", "get"))
]


def _without(document: Json, name: str) -> Json:
    for _, node in walk(document):
        if name in node:
            node[name] = [] if isinstance(node[name], list) else {}
            if not node[name]:
                del node[name]
    return document


@pytest.mark.parametrize("name", OF_OPERATIONS)
def test_what_is_generated_depends_on_it(name: str, tmp_path: Path) -> None:
    write_service(tmp_path / "with", "core", load("openapi.yaml").document)
    stripped = load("openapi.yaml").document
    if name == "x-error-codes":  # it cannot be absent, but it can say less
        for _, node in walk(stripped):
            if name in node:
                node[name] = node[name][:1]
    else:
        stripped = _without(stripped, name)
    write_service(tmp_path / "without", "core", stripped)
    assert _python(tmp_path / "with") != _python(tmp_path / "without")


def _python(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("*.py")}


def test_each_has_its_schema_and_no_more() -> None:
    files = {path.stem for path in (CONTRACT / "extensions").glob("*.yaml")}
    assert files == set(EXTENSIONS)
