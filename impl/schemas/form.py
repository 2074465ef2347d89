"""Whether a schema is well-formed, and within what one may be: checked once, when it is read."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import re2

from generated.runtime.problems import pointer
from impl.routing.patterns import MAX_COST, TooCostlyError, check_pattern, cost
from impl.schemas.keywords import CHECKS, DIALECT, IN_PLACE, LIST, NAMED, ONE, REFUSED

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_VALUES = 20_000
MAX_NODES = 1_000
# Subschemas that one value meets at one place, with each $ref written out.
MAX_IN_PLACE = 500

Way = tuple[str | int, ...]


class SchemaError(ValueError):
    """What is wrong, and where in the schema, as a JSON pointer."""

    def __init__(self, way: Way, code: str, message: str) -> None:
        self.pointer = pointer(*way)
        self.code = code
        self.message = message
        super().__init__(f"{self.pointer}: {message}")


@dataclass(slots=True)
class Form:
    """A well-formed schema. `nodes` are its subschemas by their place, the root at `()`."""

    nodes: dict[Way, Any] = field(default_factory=dict)
    targets: dict[Way, Way] = field(default_factory=dict)  # of each $ref, by its node's place
    anchors: dict[str, Way] = field(default_factory=dict)
    patterns: list[str] = field(default_factory=list)


def read_form(schema: object) -> Form:
    """Raises SchemaError."""
    if not isinstance(schema, dict):
        raise SchemaError((), "schema_invalid", "Must be an object")
    _measure(schema)
    form = Form()
    waiting: list[tuple[Way, Any]] = [((), schema)]
    while waiting:
        way, node = waiting.pop()
        form.nodes[way] = node
        if len(form.nodes) > MAX_NODES:
            raise SchemaError((), "schema_too_large", f"More than {MAX_NODES} subschemas")
        if isinstance(node, bool):
            continue
        if not isinstance(node, dict):
            raise SchemaError(way, "schema_invalid", "Must be an object or a boolean")
        _check_keywords(form, way, node)
        waiting.extend(children(way, node))
    if cost(form.patterns) > MAX_COST:
        raise SchemaError((), "schema_too_costly", "Its patterns are too costly together")
    _aim(form)
    _weigh(form)
    return form


def _measure(schema: dict[str, Any]) -> None:
    """Raises for what is too large, before anything else is made of it."""
    level: list[object] = [schema]
    values = 0
    for _ in range(MAX_DEPTH):
        values += len(level)
        if values > MAX_VALUES:
            raise SchemaError((), "schema_too_large", f"More than {MAX_VALUES} values")
        level = [
            item
            for each in level
            if isinstance(each, dict | list)
            for item in (each.values() if isinstance(each, dict) else each)
        ]
    if any(isinstance(each, dict | list) for each in level):
        raise SchemaError((), "schema_too_large", f"Nested deeper than {MAX_DEPTH} levels")
    # As jsonb writes it: with a space behind each comma and colon.
    if len(json.dumps(schema, ensure_ascii=False).encode("utf-8", "replace")) > MAX_BYTES:
        raise SchemaError((), "schema_too_large", f"More than {MAX_BYTES} bytes")


def children(way: Way, node: dict[str, Any]) -> Iterator[tuple[Way, Any]]:
    """The subschemas right below `node`, by their places. Of a node whose keywords were checked."""
    for keyword, value in node.items():
        if keyword in ONE:
            yield (*way, keyword), value
        elif keyword in LIST:
            yield from (((*way, keyword, index), item) for index, item in enumerate(value))
        elif keyword in NAMED:
            yield from (((*way, keyword, name), item) for name, item in value.items())


def _check_keywords(form: Form, way: Way, node: dict[str, Any]) -> None:
    for keyword, value in node.items():
        here = (*way, keyword)
        if keyword in REFUSED:
            raise SchemaError(here, "schema_unsupported", "Not supported; use $ref")
        if keyword in LIST and not (isinstance(value, list) and value):
            raise SchemaError(here, "schema_invalid", "Must be a list of schemas, and not empty")
        if keyword in NAMED and not isinstance(value, dict):
            raise SchemaError(here, "schema_invalid", "Must be an object of schemas")
        if (check := CHECKS.get(keyword)) and (complaint := check(value)):
            raise SchemaError(here, "schema_invalid", complaint)
    _check_names(form, way, node)
    for place, pattern in _patterns(way, node):
        _check_pattern(place, pattern)
        form.patterns.append(pattern)


def _check_names(form: Form, way: Way, node: dict[str, Any]) -> None:
    if way and "$id" in node:
        raise SchemaError((*way, "$id"), "schema_unsupported", "Only the root may have an $id")
    if node.get("$schema", DIALECT).rstrip("#") != DIALECT:
        raise SchemaError((*way, "$schema"), "schema_unsupported", f"Must be {DIALECT}")
    anchor = node.get("$anchor")
    if anchor is None:
        return
    if anchor in form.anchors:
        raise SchemaError((*way, "$anchor"), "schema_invalid", "Another subschema has this name")
    form.anchors[anchor] = way


def _patterns(way: Way, node: dict[str, Any]) -> Iterator[tuple[Way, str]]:
    if "pattern" in node:
        yield (*way, "pattern"), node["pattern"]
    for pattern in node.get("patternProperties", {}):
        yield (*way, "patternProperties", pattern), pattern


def _check_pattern(way: Way, pattern: str) -> None:
    try:
        check_pattern(pattern)
    except TooCostlyError:
        raise SchemaError(way, "pattern_too_costly", "The pattern is too large") from None
    except re2.error:
        raise SchemaError(way, "pattern_invalid", "Not a pattern of RE2") from None
    if cost([pattern]) > MAX_COST:
        raise SchemaError(way, "pattern_too_costly", "The pattern is too costly")


def _whole(way: Way) -> str:
    """A JSON pointer that is cut nowhere: two places have two of them."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in way)


def _aim(form: Form) -> None:
    """Find what each $ref names: only a subschema of this document."""
    places = {_whole(way): way for way in form.nodes}
    for way, node in form.nodes.items():
        if not isinstance(node, dict) or "$ref" not in node:
            continue
        reference = node["$ref"]
        if not reference.startswith("#"):
            raise SchemaError((*way, "$ref"), "schema_ref_remote", "Must begin with #")
        name = unquote(reference[1:])
        found = places.get(name) if name.startswith("/") or not name else form.anchors.get(name)
        if found is None:
            raise SchemaError((*way, "$ref"), "schema_ref_unknown", "Names no subschema here")
        form.targets[way] = found


def _weigh(form: Form) -> None:
    """Refuse what doubles and doubles, or never ends, while it looks at one value."""
    weights: dict[Way, int] = {}
    for start in form.nodes:
        waiting = [start]
        under_way: set[Way] = set()
        while waiting:
            way = waiting[-1]
            if way in weights:
                waiting.pop()
                continue
            below = list(_in_place(form, way))
            missing = [each for each in below if each not in weights]
            if not missing:
                weights[way] = 1 + sum(weights[each] for each in below)
                if weights[way] > MAX_IN_PLACE:
                    raise SchemaError(way, "schema_too_costly", "Too many subschemas for a value")
                continue
            under_way.add(way)
            if under_way.intersection(missing):
                raise SchemaError(way, "schema_too_costly", "Refers to itself for the same value")
            waiting.extend(missing)


def _in_place(form: Form, way: Way) -> Iterator[Way]:
    node = form.nodes[way]
    if not isinstance(node, dict):
        return
    if way in form.targets:
        yield form.targets[way]
    for child, _ in children(way, node):
        if child[len(way)] in IN_PLACE:
            yield child
