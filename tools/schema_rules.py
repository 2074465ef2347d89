"""Every value that the contract lets through has a bound, and every object a closed shape."""

from collections.abc import Callable, Iterator
from typing import Any

from tools.bundler import Bundle
from tools.contract import Json, Parts, deref, in_example, operations, walk

COMBINED = ("anyOf", "oneOf", "allOf")
# Keywords that no rule here reads: whoever wants one teaches the rules first.
UNREAD = {"not", "if", "then", "else", "prefixItems", "patternProperties", "contains",
          "unevaluatedProperties", "dependentSchemas"}  # fmt: skip
# Formats that bound a text by themselves.
BOUNDED_FORMATS = {"uuid", "date-time", "date"}
SIGNATURES = {
    f"parameters/Webhook{name}.yaml#/schema": "who verifies it answers 401, others ignore it"
    for name in ("Id", "Timestamp", "Signature")
}
# Texts without a pattern, or without any bound, each with its reason.
WITHOUT_PATTERN = {
    "schemas/Problem.yaml#/properties/title": "written by us, for people",
    "schemas/Problem.yaml#/properties/detail": "written by us, for people",
    "schemas/InvalidValueV1.yaml#/properties/message": "written by us, for people",
    "schemas/InvalidValueV1.yaml#/properties/pointer": "holds the caller's own keys, as JSON",
    "parameters/XTraceId.yaml#/schema": "anything is taken; what is no UUID is replaced",
    "parameters/Traceparent.yaml#/schema": "anything is taken; what is malformed is ignored",
    "parameters/Prefer.yaml#/schema": "anything is taken; what means nothing to us is ignored",
    **SIGNATURES,
    "paths/docs.yaml#/get/responses/200/content/text/html/schema": "a page of ours",
    "paths/docs-script.yaml#/get/responses/200/content/text/javascript/schema": "Redoc's script",
    "schemas/StreamedEventV1.yaml#/properties/data": "JSON, which its contentSchema bounds",
    "paths/metrics.yaml#/get/responses/200/content/"
    "text/plain; version=0.0.4; charset=utf-8/schema": "Prometheus's text format",
}
UNBOUNDED = {
    *SIGNATURES,
    "parameters/XTraceId.yaml#/schema",
    "parameters/Traceparent.yaml#/schema",
    "parameters/Prefer.yaml#/schema",
}


def schemas(bundle: Bundle) -> Iterator[tuple[Parts, Json]]:
    """Every schema of the bundle but mere references, with its place."""
    for parts, node in walk(bundle.document):
        named = len(parts) == 3 and parts[:2] == ("components", "schemas")
        inline = parts[-1:] == ("schema",) and not in_example(parts)
        if named or inline:
            yield from schema_members(parts, node)


def schema_members(parts: Parts, schema: Json) -> Iterator[tuple[Parts, Json]]:
    if "$ref" not in schema:
        yield parts, schema
    for name, member in schema.get("properties", {}).items():
        yield from schema_members((*parts, "properties", name), member)
    for keyword in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(keyword), dict):
            yield from schema_members((*parts, keyword), schema[keyword])
    for keyword in COMBINED:
        for index, member in enumerate(schema.get(keyword, [])):
            yield from schema_members((*parts, keyword, str(index)), member)


def types(schema: Json) -> set[str]:
    named = schema.get("type", [])
    return {named} if isinstance(named, str) else set(named)


def _closed(schema: Json) -> bool:
    return "enum" in schema or "const" in schema


def typed(bundle: Bundle) -> Iterator[str]:
    for parts, schema in schemas(bundle):
        if not (types(schema) or _closed(schema) or any(word in schema for word in COMBINED)):
            yield f"{bundle.place(parts)}: has no type"
        for word in sorted(UNREAD & set(schema)):
            yield f"{bundle.place(parts)}: {word} is more than our rules can check"


def texts_bounded(bundle: Bundle) -> Iterator[str]:
    for parts, schema in schemas(bundle):
        place = bundle.place(parts)
        if "string" not in types(schema) or _closed(schema):
            continue
        if "maxLength" not in schema and place not in UNBOUNDED:
            yield f"{place}: a text without maxLength"
        bounded = "pattern" in schema or schema.get("format") in BOUNDED_FORMATS
        if not bounded and place not in WITHOUT_PATTERN:
            yield f"{place}: a text without a pattern"


def numbers_bounded(bundle: Bundle) -> Iterator[str]:
    for parts, schema in schemas(bundle):
        if types(schema) & {"integer", "number"} and not _closed(schema):
            for low, high in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
                if low not in schema and high not in schema:
                    yield f"{bundle.place(parts)}: a number without {low}"


def lists_bounded(bundle: Bundle) -> Iterator[str]:
    for parts, schema in schemas(bundle):
        if "array" in types(schema):
            for word in ("maxItems", "items"):
                if word not in schema:
                    yield f"{bundle.place(parts)}: a list without {word}"


def objects_closed(bundle: Bundle) -> Iterator[str]:
    for parts, schema in schemas(bundle):
        if "object" not in types(schema) or schema.get("additionalProperties") is False:
            continue
        if parts[-2] == "allOf":
            continue  # it narrows a schema that is closed itself
        if "additionalProperties" not in schema:
            yield f"{bundle.place(parts)}: says nothing of additionalProperties"
        elif "maxProperties" not in schema:
            yield f"{bundle.place(parts)}: an open object without maxProperties"
        elif types(schema) != {"object"} or parts[-2] in COMBINED:
            # The model's generator drops the bound there.
            yield f"{bundle.place(parts)}: make the nullable open object a schema of its own"


def absent_is_null(bundle: Bundle) -> Iterator[str]:
    """Our models read an absent optional member as its default or null: both must be allowed."""
    for parts, schema in _request_schemas(bundle):
        for name, member in schema.get("properties", {}).items():
            optional = name not in schema.get("required", [])
            if optional and "default" not in member and not _nullable(bundle.document, member):
                place = bundle.place((*parts, "properties", name))
                yield f"{place}: optional, but neither nullable nor with a default"


def _request_schemas(bundle: Bundle) -> Iterator[tuple[Parts, Json]]:
    if "paths" not in bundle.document:
        return
    reached: dict[str, None] = {}
    for operation in operations(bundle.document):
        _reach(bundle.document, operation.spec.get("requestBody", {}), reached)
    for name in reached:
        parts = ("components", "schemas", name)
        yield from schema_members(parts, bundle.document["components"]["schemas"][name])


def _reach(document: Json, node: Any, reached: dict[str, None]) -> None:
    """Adds the schemas that `node` refers to, and those that they refer to."""
    for _, found in walk(node):
        reference = found.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/components/schemas/"):
            name = reference.rsplit("/", 1)[1]
            if name not in reached:
                reached[name] = None
                _reach(document, document["components"]["schemas"][name], reached)


def _nullable(document: Json, schema: Json) -> bool:
    whole = deref(document, schema)
    members = [*whole.get("anyOf", []), *whole.get("oneOf", [])]
    return "null" in types(whole) or any(_nullable(document, member) for member in members)


SCHEMA_RULES: list[Callable[[Bundle], Iterator[str]]] = [
    typed,
    texts_bounded,
    numbers_bounded,
    lists_bounded,
    objects_closed,
    absent_is_null,
]
