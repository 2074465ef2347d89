"""What is no schema for us, with the place that is wrong."""

from typing import Any

import pytest

from impl.schemas.form import MAX_NODES, SchemaError
from impl.schemas.schema import compile_schema

DEEP: dict[str, Any] = {}
for _ in range(40):
    DEEP = {"not": DEEP}
DOUBLING = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(30)}

REFUSED: dict[str, tuple[object, str | None, str]] = {
    "no object": ([], "", "schema_invalid"),
    "a type that there is not": ({"type": "text"}, "/type", "schema_invalid"),
    "no types": ({"type": []}, "/type", "schema_invalid"),
    "a subschema that is none": ({"properties": {"a": 1}}, "/properties/a", "schema_invalid"),
    "items of old": ({"items": [{}]}, "/items", "schema_invalid"),
    "an empty allOf": ({"allOf": []}, "/allOf", "schema_invalid"),
    "a count below 0": ({"not": {"minLength": -1}}, "/not/minLength", "schema_invalid"),
    "a count that is true": ({"minLength": True}, "/minLength", "schema_invalid"),
    "multiples of 0": ({"multipleOf": 0}, "/multipleOf", "schema_invalid"),
    "a name required twice": ({"required": ["a", "a"]}, "/required", "schema_invalid"),
    "another draft": (
        {"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema", "schema_unsupported"
    ),
    "$dynamicRef": ({"$dynamicRef": "#x"}, "/$dynamicRef", "schema_unsupported"),
    "a document inside": ({"not": {"$id": "x"}}, "/not/$id", "schema_unsupported"),
    "a remote $ref": ({"$ref": "http://127.0.0.1/x"}, "/$ref", "schema_ref_remote"),
    "a file": ({"$ref": "file:///etc/passwd"}, "/$ref", "schema_ref_remote"),
    "a relative $ref": ({"not": {"$ref": "other.json#"}}, "/not/$ref", "schema_ref_remote"),
    "a $ref to nothing": ({"$ref": "#/$defs/a"}, "/$ref", "schema_ref_unknown"),
    "a $ref to no schema": ({"$ref": "#/const", "const": {}}, "/$ref", "schema_ref_unknown"),
    "an $anchor twice": (
        {"allOf": [{"$anchor": "a"}, {"$anchor": "a"}]}, "/allOf/0/$anchor", "schema_invalid"
    ),
    "a pattern that backtracks": ({"pattern": r"(a)\1"}, "/pattern", "pattern_invalid"),
    "no pattern": (
        {"patternProperties": {"(": {}}}, "/patternProperties/(", "pattern_invalid"
    ),
    "a costly pattern": ({"pattern": ".{1,500}"}, "/pattern", "pattern_too_costly"),
    "costly patterns together": (
        {"allOf": [{"pattern": ".{1,99}"}] * 4}, "", "schema_too_costly"
    ),
    "too deep": (DEEP, "", "schema_too_large"),
    "too many bytes": ({"description": "é" * 40_000}, "", "schema_too_large"),
    "too many subschemas": ({"prefixItems": [{}] * MAX_NODES}, "", "schema_too_large"),
    "too many values": ({"enum": list(range(20_000))}, "", "schema_too_large"),
    "itself": ({"$ref": "#"}, "", "schema_too_costly"),
    "itself, in a circle": (
        {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#"}]}}}, None, "schema_too_costly"
    ),
    "doubling": ({"$ref": "#/$defs/d0", "$defs": {**DOUBLING, "d30": {}}}, None,
                 "schema_too_costly"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_where_and_why(name: str) -> None:
    schema, place, code = REFUSED[name]
    with pytest.raises(SchemaError) as refused:
        compile_schema(schema)
    assert refused.value.code == code
    assert place is None or refused.value.pointer == place
    assert refused.value.message


def test_a_schema_may_recurse_into_what_is_smaller() -> None:
    tree = {"$defs": {"node": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}
    schema = compile_schema({"$ref": "#/$defs/node", **tree})
    assert schema.faults([[], [[]]]) == []
    assert schema.faults([[], [[1]]]) == ["/1/0/0 type"]


def test_a_place_may_be_written_as_a_url_writes_it() -> None:
    schema = compile_schema({"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": {"type": "null"}}})
    assert schema.faults(1) == ["type"]


def test_names_that_begin_alike_for_long_are_told_apart() -> None:
    begin = "x" * 3000
    names = {f"{begin}a": {"type": "null"}, f"{begin}b": {"type": "string"}}
    schema = compile_schema({"$ref": f"#/$defs/{begin}a", "$defs": names})
    assert schema.faults(None) == []
    assert schema.faults("text") == ["type"]
