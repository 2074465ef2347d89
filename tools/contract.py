"""The contract as the tools read it: its documents and their operations."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impl.kit import promise

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "contracts" / "v1alpha"
EXAMPLES = {"example", "examples", "default", "enum", "const"}
METHODS = ("get", "put", "post", "delete", "patch")

Json = dict[str, Any]
Parts = tuple[str, ...]

deref = promise.deref


class ContractError(Exception):
    """The contract breaks one of its own rules; the message names the file."""


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


def properties(document: Json, schema: Json) -> dict[str, Json]:
    """The members of an object; what a later part of an `allOf` says of one is added to it."""
    found: dict[str, Json] = {}
    for part in _parts(document, schema):
        for name, member in part.get("properties", {}).items():
            wide = {} if "type" in member or "$ref" in member else found.get(name, {})
            found[name] = wide | member
    return found


def required(document: Json, schema: Json) -> set[str]:
    return {name for part in _parts(document, schema) for name in part.get("required", ())}


def _parts(document: Json, schema: Json) -> Iterator[Json]:
    node = deref(document, schema)
    yield node
    for part in node.get("allOf", ()):
        yield from _parts(document, part)


def walk(node: Any, parts: Parts = ()) -> Iterator[tuple[Parts, Json]]:
    """Every object of a document with its place, the outer ones first."""
    if isinstance(node, dict):
        yield parts, node
    children = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in children:
        if isinstance(child, dict | list):
            yield from walk(child, (*parts, str(key)))


def in_example(parts: Parts) -> bool:
    """Whether the place is inside of an example: what stands there may look like anything."""
    before = ("", *parts)
    return any(
        part in EXAMPLES and before[index] != "properties" for index, part in enumerate(parts)
    )


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def pascal_case(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[_-]", name))
