"""The keywords of a schema: what stands behind each, and of which form it must be."""

import re
from collections.abc import Callable
from typing import Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ANCHOR = re.compile(r"[A-Za-z_][-A-Za-z0-9._]*")
TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
# Keywords by what stands behind them. In place: it is asked about the same value.
ONE_IN_PLACE = frozenset({"else", "if", "not", "then"})
ONE_BELOW = frozenset(
    {"additionalProperties", "contains", "items", "propertyNames", "unevaluatedItems",
     "unevaluatedProperties"}
)  # fmt: skip
ONE_NOWHERE = frozenset({"contentSchema"})
LIST_IN_PLACE = frozenset({"allOf", "anyOf", "oneOf"})
LIST_BELOW = frozenset({"prefixItems"})
NAMED_IN_PLACE = frozenset({"dependentSchemas"})
NAMED_BELOW = frozenset({"patternProperties", "properties"})
NAMED_NOWHERE = frozenset({"$defs", "definitions"})
IN_PLACE = ONE_IN_PLACE | LIST_IN_PLACE | NAMED_IN_PLACE
ONE = ONE_IN_PLACE | ONE_BELOW | ONE_NOWHERE
LIST = LIST_IN_PLACE | LIST_BELOW
NAMED = NAMED_IN_PLACE | NAMED_BELOW | NAMED_NOWHERE
REFUSED = frozenset({"$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef"})
COUNTS = frozenset(
    {"maxContains", "maxItems", "maxLength", "maxProperties", "minContains", "minItems",
     "minLength", "minProperties"}
)  # fmt: skip
NUMBERS = frozenset({"exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum"})


def _is_integer(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_names(value: object) -> bool:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return False
    return len(set(value)) == len(value)


def _type(value: object) -> str | None:
    listed = value if isinstance(value, list) else [value]
    good = bool(listed) and _are_names(listed) and TYPES.issuperset(listed)
    return None if good else f"Must be of {', '.join(sorted(TYPES))}"


def _that(good: Callable[[Any], bool], message: str) -> Callable[[object], str | None]:
    return lambda value: None if good(value) else message


CHECKS: dict[str, Callable[[object], str | None]] = {
    **dict.fromkeys(COUNTS, _that(lambda v: _is_integer(v) and v >= 0, "Must be a whole number")),
    **dict.fromkeys(NUMBERS, _that(_is_number, "Must be a number")),
    **dict.fromkeys(
        ("$comment", "$id", "$ref", "$schema", "format", "pattern"),
        _that(lambda v: isinstance(v, str), "Must be a string"),
    ),
    "$anchor": _that(
        lambda v: isinstance(v, str) and ANCHOR.fullmatch(v) is not None, "Must be a plain name"
    ),
    "multipleOf": _that(lambda v: _is_number(v) and v > 0, "Must be a number above 0"),
    "uniqueItems": _that(lambda v: isinstance(v, bool), "Must be true or false"),
    "enum": _that(lambda v: isinstance(v, list), "Must be a list"),
    "required": _that(_are_names, "Must be a list of different strings"),
    "dependentRequired": _that(
        lambda v: isinstance(v, dict) and all(map(_are_names, v.values())),
        "Must be an object of lists of different strings",
    ),
    "type": _type,
}
