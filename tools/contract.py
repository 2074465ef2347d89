"""Reads the contract's files and bundles them into single documents.

One rule makes the bundle: a `$ref` to `<kind>/<Name>.yaml` is the component `<kind>/<Name>`;
a `$ref` to any other file is replaced by what the file says.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "contracts" / "v1alpha"
COMPONENTS = ("schemas", "parameters", "responses", "headers")
METHODS = ("get", "put", "post", "delete", "patch")

Json = dict[str, Any]


class ContractError(Exception):
    """The contract breaks one of its own rules; the message names the file."""


@cache
def read(path: Path) -> Any:
    if not path.is_file():
        raise ContractError(f"{path.relative_to(ROOT)}: no such file")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@cache
def error_codes() -> dict[str, Json]:
    """Every error code with its status, title, description and `by` (edge or handler)."""
    return dict(read(CONTRACT / "errors.yaml"))


@dataclass
class _Bundler:
    components: dict[str, dict[str, Any]] = field(default_factory=dict)

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
                key: self._component(here.parent / target)
                for key, target in node["mapping"].items()
            }
        return resolved

    def _follow(self, node: Json, here: Path) -> Any:
        target = (here.parent / node["$ref"]).resolve()
        if target.parent.name not in COMPONENTS:
            return self.resolve(read(target), target)
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return {"$ref": self._component(target), **beside}

    def _component(self, path: Path) -> str:
        path = path.resolve()
        kind, name = path.parent.name, path.stem
        known = self.components.setdefault(kind, {})
        if name not in known:
            known[name] = {}  # a schema may refer to itself
            known[name] = self.resolve(read(path), path)
        return f"#/components/{kind}/{name}"


def bundle(name: str) -> Json:
    """The document `name` of the contract, whole, with its components in a stable order."""
    source = CONTRACT / name
    bundler = _Bundler()
    document: Json = bundler.resolve(read(source), source)
    own = document.setdefault("components", {})
    for kind, members in sorted(bundler.components.items()):
        own[kind] = dict(sorted({**own.get(kind, {}), **members}.items()))
    schemas = own.get("schemas", {})
    if "ErrorCode" in schemas:
        schemas["ErrorCode"]["enum"] = list(error_codes())
    return document


@dataclass(frozen=True)
class Operation:
    """One operation of a bundled document, with what the templates ask of it."""

    document: Json
    path: str
    method: str
    spec: Json

    @property
    def id(self) -> str:
        return str(self.spec["operationId"])

    @property
    def snake(self) -> str:
        return snake_case(self.id)

    @property
    def pascal(self) -> str:
        return self.id[0].upper() + self.id[1:]

    @property
    def tag(self) -> str:
        return str(self.spec["tags"][0])

    @property
    def codes(self) -> list[str]:
        return list(self.spec["x-error-codes"])

    def parameters(self, location: str) -> list[Json]:
        resolved = (deref(self.document, item) for item in self.spec.get("parameters", []))
        return [item for item in resolved if item["in"] == location]

    @property
    def body_schema(self) -> str | None:
        """The component that the request's body is; None where there is no body."""
        if "requestBody" not in self.spec:
            return None
        reference = self.spec["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        return str(reference.rsplit("/", 1)[1])

    def responses(self) -> dict[int, Json]:
        return {
            int(status): deref(self.document, response)
            for status, response in sorted(self.spec["responses"].items())
        }


def operations(document: Json) -> list[Operation]:
    """Every operation, in the document's order."""
    return [
        Operation(document, path, method, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def deref(document: Json, node: Json) -> Json:
    """What a local `$ref` points at; any other node as it is."""
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def pascal_case(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[_-]", name))
