"""Every bound that the contract sets stands in the model: what a generator drops, nobody checks."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from generated import models
from tools.bundler import load
from tools.contract import walk
from tools.schema_rules import schema_members, types

BOUNDS = {
    "minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "maxProperties",
    "required",
}  # fmt: skip
SCHEMAS: dict[str, Any] = {
    name: schema
    for document in ("openapi.yaml", "plugin.openapi.yaml", "events.asyncapi.yaml")
    for name, schema in load(document).document["components"]["schemas"].items()
}
# A canonical UUID is checked by its own type (generated/runtime/scalars.py), a time by pydantic,
# and a manifest by the form that the registration chooses (impl/plugins/manifests/).
BY_TYPE = {"Uuid", "Timestamp", "AnyPluginManifestV1"}
NUMBERS = [
    (name, member, schema)
    for name, whole in sorted(SCHEMAS.items())
    for member, schema in whole.get("properties", {}).items()
    if types(schema) & {"integer", "number"}
]


def bounds(nodes: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        allowed = node.get("enum", [node["const"]] if "const" in node else None)
        if allowed is not None:
            yield "enum", repr(sorted(allowed))
            continue
        for keyword in BOUNDS & set(node):
            value = node[keyword]
            yield keyword, repr(sorted(value) if isinstance(value, list) else value)
        for pattern in node.get("patternProperties", {}):
            yield "pattern", repr(pattern)
        if node.get("additionalProperties") is False:
            yield "closed", ""


def of_contract(name: str) -> Iterator[dict[str, Any]]:
    return (node for _, node in schema_members((), SCHEMAS[name]))


def of_model(name: str) -> Iterator[dict[str, Any]]:
    """The model's own schema, with those that the generator made of its inline ones."""
    produced = TypeAdapter(getattr(models, name)).json_schema()
    definitions = produced.pop("$defs", {})
    inline = {key: value for key, value in definitions.items() if key not in SCHEMAS}
    for whole in (definitions.get(name, produced), *inline.values()):
        yield from (node for _, node in walk(whole))


@pytest.mark.parametrize("name", sorted(set(SCHEMAS) - BY_TYPE))
def test_the_model_keeps_every_bound(name: str) -> None:
    assert set(bounds(of_contract(name))) - set(bounds(of_model(name))) == set()


@pytest.mark.parametrize(("name", "member", "schema"), NUMBERS)
def test_the_model_keeps_every_range(name: str, member: str, schema: dict[str, Any]) -> None:
    field = getattr(models, name).model_fields[member]
    kind: Any = Annotated[field.annotation, *field.metadata]
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    for bound, beyond in ((schema["minimum"], -1), (schema["maximum"], 1)):
        adapter.validate_json(str(bound), strict=True)
        with pytest.raises(ValidationError):
            adapter.validate_json(str(bound + beyond), strict=True)
