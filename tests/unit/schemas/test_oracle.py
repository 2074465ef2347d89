"""Our answers against those of `jsonschema`, on schemas and values that are made up."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from impl.schemas.form import SchemaError
from impl.schemas.schema import TOO_COSTLY, compile_schema

NAMES = st.sampled_from(["a", "b", "c", "ab"])
COUNTS = st.integers(0, 3)
NUMBERS = st.sampled_from([-1, 0, 1, 2, 3, 0.5, 1.0, 2.5])
SCALARS = st.one_of(
    st.none(), st.booleans(), NUMBERS, st.sampled_from(["", "a", "ab", "abc", "c", "ä"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=8,
)
TYPES = ["array", "boolean", "integer", "null", "number", "object", "string"]
REFS = st.sampled_from(["#/$defs/x", "#/$defs/y", "#here"])


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    some = st.lists(inner, min_size=1, max_size=3)
    named = st.dictionaries(NAMES, inner, max_size=3)
    patterned = st.dictionaries(st.sampled_from(["^a", "b$", "."]), inner, max_size=2)
    names = st.lists(NAMES, max_size=3, unique=True)
    keywords: dict[str, st.SearchStrategy[Any]] = {
        "type": st.one_of(
            st.sampled_from(TYPES), st.lists(st.sampled_from(TYPES), min_size=1, unique=True)
        ),
        "const": VALUES,
        "enum": st.lists(VALUES, max_size=3),
        "multipleOf": st.sampled_from([1, 2, 0.5]),
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), NUMBERS),
        **dict.fromkeys(
            ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
            COUNTS,
        ),
        "pattern": st.sampled_from(["a", "^a", "b$", "^.$"]),
        "uniqueItems": st.booleans(),
        "required": names,
        "dependentRequired": st.dictionaries(NAMES, names, max_size=2),
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), some),
        **dict.fromkeys(
            ("not", "if", "then", "else", "items", "contains", "propertyNames",
             "additionalProperties", "unevaluatedItems", "unevaluatedProperties"),
            inner,
        ),
        **dict.fromkeys(("minContains", "maxContains"), COUNTS),
        **dict.fromkeys(("properties", "dependentSchemas"), named),
        "patternProperties": patterned,
        "$ref": REFS,
    }  # fmt: skip
    chosen = st.lists(st.sampled_from(sorted(keywords)), max_size=4, unique=True)
    return chosen.flatmap(lambda some: st.fixed_dictionaries({k: keywords[k] for k in some}))


SCHEMAS = st.recursive(st.one_of(st.booleans(), _objects(st.booleans())), _objects, max_leaves=6)
DOCUMENTS = st.tuples(_objects(SCHEMAS), SCHEMAS, SCHEMAS).map(
    lambda parts: {
        **parts[0],
        "$defs": {"x": parts[1], "y": parts[2], "z": {"$anchor": "here", "type": ["string"]}},
    }
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(DOCUMENTS, VALUES)
def test_we_agree_with_jsonschema(schema: dict[str, Any], value: Any) -> None:
    Draft202012Validator.check_schema(schema)
    try:
        compiled = compile_schema(schema)
    except SchemaError as error:
        assert error.message == "Refers to itself for the same value"  # noqa: PT017  # the message is what is held
        return
    faults = compiled.faults(value)
    assert faults != [TOO_COSTLY]
    assert (faults == []) == Draft202012Validator(schema).is_valid(value), faults


BROKEN = st.dictionaries(
    st.sampled_from(
        ["type", "items", "allOf", "properties", "required", "enum", "minLength", "maximum",
         "multipleOf", "uniqueItems", "pattern", "dependentRequired", "$anchor", "format", "not",
         "minContains", "prefixItems", "$defs"]
    ),
    VALUES,
    min_size=1,
    max_size=3,
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(BROKEN)
def test_what_we_take_is_well_formed(schema: dict[str, Any]) -> None:
    try:
        compile_schema(schema)
    except SchemaError:
        return
    Draft202012Validator.check_schema(schema)
