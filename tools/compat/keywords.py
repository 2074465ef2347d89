"""The keywords of a JSON Schema that bound a single value, each with the effect of its change."""

from collections.abc import Iterator

from tools.compat.change import Effect, shown
from tools.contract import Json

EDITORIAL = {"description", "title", "examples", "example", "$comment"}
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_OPAQUE = ("pattern", "multipleOf", "contentEncoding", "contentMediaType")
# Compared as wholes, by tools/compat/schemas.py.
_STRUCTURE = {
    "properties", "required", "items", "additionalProperties", "propertyNames", "oneOf", "anyOf",
    "allOf", "discriminator", "default",
}  # fmt: skip
_READ = {*_LOWER, *_UPPER, *_OPAQUE, *_STRUCTURE, *EDITORIAL,
         "type", "enum", "const", "format", "uniqueItems", "deprecated"}  # fmt: skip

Differences = Iterator[tuple[Effect, str]]


def keyword_differences(old: Json, new: Json) -> Differences:
    yield from _types(old, new)
    yield from _values(old, new)
    for word in _LOWER:
        yield from _bound(word, old.get(word), new.get(word), 1)
    for word in _UPPER:
        yield from _bound(word, old.get(word), new.get(word), -1)
    for word in _OPAQUE:
        yield from _opaque(word, old.get(word), new.get(word))
    if old.get("format") != new.get("format"):
        formats = shown(old.get("format")), shown(new.get("format"))
        yield Effect.OTHER, f"format was {formats[0]}, is {formats[1]}"
    if old.get("uniqueItems", False) != new.get("uniqueItems", False):
        unique = new.get("uniqueItems", False)
        yield Effect.NARROWER if unique else Effect.WIDER, f"uniqueItems is {unique}"
    if old.get("deprecated", False) != new.get("deprecated", False):
        yield Effect.SAME, f"deprecated is {new.get('deprecated', False)}"
    for word in sorted({*old, *new} - _READ):
        if old.get(word) != new.get(word):
            yield Effect.OTHER, f"{word} changed, which the comparison does not read"


def default_of(schema: Json) -> object:
    return schema.get("default")


def _types(old: Json, new: Json) -> Differences:
    before, after = _kinds(old), _kinds(new)
    if before == after:
        return
    words = ["|".join(sorted(kinds)) or "any" for kinds in (before, after)]
    what = f"type was {words[0]}, is {words[1]}"
    if after and (not before or any(not _covers(after, kind) for kind in before)):
        yield Effect.NARROWER, what
    if before and (not after or any(not _covers(before, kind) for kind in after)):
        yield Effect.WIDER, what


def _kinds(schema: Json) -> set[str]:
    kinds = schema.get("type", [])
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _covers(kinds: set[str], kind: str) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _values(old: Json, new: Json) -> Differences:
    before, after = _listed(old), _listed(new)
    if before is None and after is not None:
        yield Effect.NARROWER, f"only {', '.join(map(repr, after))} is left"
    elif after is None and before is not None:
        yield Effect.WIDER, "is no longer one of listed values"
    elif before is not None and after is not None:
        for value in (value for value in before if value not in after):
            yield Effect.LOST, f"the value {value!r} is gone"
        for value in (value for value in after if value not in before):
            yield Effect.WIDER, f"the value {value!r} is new"


def _listed(schema: Json) -> list[object] | None:
    if "const" in schema:
        return [schema["const"]]
    return list(schema["enum"]) if "enum" in schema else None


def _bound(word: str, old: float | None, new: float | None, sign: int) -> Differences:
    if sign > 0 and word.startswith("min") and word != "minimum":
        old, new = old or None, new or None  # at least 0 is no bound
    if old == new:
        return
    tighter = new is not None and (old is None or (new - old) * sign > 0)
    what = f"{word} was {shown(old)}, is {shown(new)}"
    yield Effect.NARROWER if tighter else Effect.WIDER, what


def _opaque(word: str, old: object, new: object) -> Differences:
    if old == new:
        return
    effect = Effect.NARROWER if old is None else Effect.WIDER if new is None else Effect.OTHER
    yield effect, f"{word} was {shown(old)}, is {shown(new)}"
