"""Reads the contract's files and bundles them into single documents.

One rule makes the bundle: a `$ref` to `<kind>/<Name>.yaml` is the component `<kind>/<Name>`;
a `$ref` to any other file is replaced by what the file says.
"""

from dataclasses import dataclass, field
from functools import cache
from os.path import normpath
from pathlib import Path
from typing import Any

import yaml

from tools.contract import CONTRACT, ROOT, ContractError, Json, Parts

# The one in C reads the contract in a tenth of the time.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
COMPONENTS = ("schemas", "parameters", "responses", "headers")


def read(path: Path, by: Path | None = None) -> Any:
    """What the file says now; parsed once for each version of it. `by` refers to it."""
    if not path.is_file():
        said = f"; {_named(by)} refers to it" if by else ""
        raise ContractError(f"{_named(path)}: no such file{said}")
    found = path.stat()
    return _parsed(path, (found.st_mtime_ns, found.st_size))


@cache
def _parsed(path: Path, _version: tuple[int, int]) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _LOADER)  # noqa: S506  # a safe one  # nosec B506
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        said = str(error).replace('in "<unicode string>", ', "at ")
        raise ContractError(f"{_named(path)}: not YAML: {' '.join(said.split())}") from error


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def error_codes(folder: Path = CONTRACT) -> dict[str, Json]:
    """Every error code with its status, title, description and `by` (edge or handler)."""
    return dict(read(folder / "errors.yaml"))


@dataclass(frozen=True)
class Bundle:
    """One document of the contract, whole, and the files that it was made of."""

    source: Path
    document: Json
    files: frozenset[Path]

    @property
    def name(self) -> str:
        return self.source.name

    def place(self, parts: Parts) -> str:
        """The file in which the object at `parts` stands, and the rest of the way to it."""
        file, rest = self.name, parts
        if parts[0] == "components" and len(parts) > 2 and parts[1] in COMPONENTS:
            file, rest = f"{parts[1]}/{parts[2]}.yaml", parts[3:]
        elif parts[0] == "paths" and len(parts) > 1:
            file, rest = read(self.source)["paths"][parts[1]]["$ref"], parts[2:]
        return f"{file}#/{'/'.join(rest)}" if rest else file


@dataclass
class _Bundler:
    components: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: set[Path] = field(default_factory=set)

    def read(self, path: Path, by: Path | None = None) -> Any:
        self.files.add(path)
        return read(path, by)

    def resolve(self, node: Any, here: Path) -> Any:
        if isinstance(node, list):
            return [self.resolve(item, here) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node and not node["$ref"].startswith("#"):
            return self._follow(node, here)
        resolved = {key: self.resolve(value, here) for key, value in node.items()}
        if "propertyName" in node and "mapping" in node:
            resolved["mapping"] = {
                key: self._component(target_of(here, target), here)
                for key, target in node["mapping"].items()
            }
        return resolved

    def _follow(self, node: Json, here: Path) -> Any:
        target = target_of(here, node["$ref"])
        if target.parent.name not in COMPONENTS:
            return self.resolve(self.read(target, here), target)
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return {"$ref": self._component(target, here), **beside}

    def _component(self, path: Path, by: Path) -> str:
        kind, name = path.parent.name, path.stem
        known = self.components.setdefault(kind, {})
        if name not in known:
            known[name] = {}  # a schema may refer to itself
            known[name] = self.resolve(self.read(path, by), path)
        return f"#/components/{kind}/{name}"


def target_of(here: Path, reference: str) -> Path:
    """What a file's reference means; `here` has no links, and asking the disk costs half of all."""
    return Path(normpath(here.parent / reference))


def load(name: str, folder: Path = CONTRACT) -> Bundle:
    """The document `name` of the contract in `folder`, its components in a stable order."""
    source = (folder / name).resolve()
    bundler = _Bundler()
    document: Json = bundler.resolve(bundler.read(source), source)
    own = document.setdefault("components", {})
    for kind, members in sorted(bundler.components.items()):
        own[kind] = dict(sorted({**own.get(kind, {}), **members}.items()))
    schemas = own.get("schemas", {})
    if "ErrorCode" in schemas:
        schemas["ErrorCode"] |= _with_codes(schemas["ErrorCode"], error_codes(folder))
    return Bundle(source, document, frozenset(bundler.files))


def _with_codes(schema: Json, codes: dict[str, Json]) -> Json:
    """Lists them for people alone: to readers of a closed list, each new code were breaking."""
    known = ", ".join(f"`{code}` ({error['status']})" for code, error in codes.items())
    return {"description": f"{schema['description']} Known: {known}.", "examples": list(codes)}


def bundle(name: str) -> Json:
    return load(name).document
