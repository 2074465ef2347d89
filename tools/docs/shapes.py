"""A schema, as a person reads it."""

from collections.abc import Iterator

from tools.contract import Json, properties, required
from tools.docs.markdown import anchor, code, listed

HEAD = ("Member", "Type", "Bounds", "Required", "Default", "Description")


def named(name: str) -> str:
    return f"[{name}](SCHEMAS.md#{anchor(name)})"


def kind(schema: Json) -> str:
    """The type, with a link where it is a schema of its own."""
    if "$ref" in schema:
        return named(schema["$ref"].rsplit("/", 1)[1])
    if "const" in schema:
        return f"always {code(schema['const'])}"
    branches = schema.get("anyOf") or schema.get("oneOf")
    if branches:
        return " or ".join(kind(branch) for branch in branches)
    if "allOf" in schema:
        return " with ".join(kind(part) for part in schema["allOf"] if "$ref" in part)
    types = schema.get("type", "any")
    return " or ".join(_simple(schema, name) for name in ([types] if _single(types) else types))


def _single(types: object) -> bool:
    return isinstance(types, str)


def _simple(schema: Json, name: str) -> str:
    if name == "array":
        return f"list of {kind(schema.get('items', {}))}"
    if name == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {kind(schema['additionalProperties'])}"
    if name == "object" and schema.get("additionalProperties") is True:
        return "open object"
    return f"{name}, {schema['format']}" if name == "string" and "format" in schema else name


def bounds(schema: Json) -> str:
    return "; ".join(_bounds(schema))


def _bounds(schema: Json) -> Iterator[str]:
    if "enum" in schema:
        yield f"one of {listed(schema['enum'])}"
    for low, high, what in (
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
        ("minProperties", "maxProperties", " members"),
        ("minimum", "maximum", ""),
    ):
        if low in schema or high in schema:
            yield _range(schema.get(low, 0 if what else None), schema.get(high), what)
    if schema.get("uniqueItems"):
        yield "no two alike"
    if "pattern" in schema:
        yield code(schema["pattern"])
    for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _bounds(branch)


def _range(low: object, high: object, what: str) -> str:
    if low == high:
        return f"{low}{what}"
    if high is None:
        return f"{low}{what} or more"
    return f"{high}{what} or less" if low is None else f"{low} to {high}{what}"


def rows(document: Json, schema: Json, prefix: str = "") -> Iterator[tuple[str, ...]]:
    """A row of HEAD for each member; those of a nameless inner object stand behind it."""
    needed = required(document, schema)
    for name, member in properties(document, schema).items():
        place = f"{prefix}{name}"
        yield (
            code(place),
            kind(member),
            bounds(member),
            "yes" if name in needed else "",
            code(member["default"]) if "default" in member else "",
            member.get("description", ""),
        )
        yield from rows(document, member, f"{place}.") if "properties" in member else ()
        items = member.get("items", {})
        yield from rows(document, items, f"{place}[].") if "properties" in items else ()
