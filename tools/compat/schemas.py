"""Two JSON Schemas compared: each difference with its effect on the values that are valid."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tools.compat.change import Change, Effect, Place, Role, judged, shown
from tools.compat.keywords import EDITORIAL, default_of, keyword_differences
from tools.contract import Json

_PREFIX = "#/components/schemas/"
Found = Iterator[tuple[Place, Effect, str]]


@dataclass(frozen=True)
class _Split:
    """A schema as null or one of several others."""

    null: bool
    others: list[Json]
    union: str | None  # the keyword, where there are several


@dataclass
class SchemaComparison:
    """Compares schemas of two documents. A component is told once for each role."""

    old: Json
    new: Json
    _seen: set[tuple[str, str, Role]] = field(default_factory=set)
    _places: set[tuple[Place, Role]] = field(default_factory=set)

    def first(self, place: Place, role: Role) -> bool:
        """Whether nobody asked for this place yet: what many operations share is told once."""
        known = (place, role) in self._places
        self._places.add((place, role))
        return not known

    def changes(self, old: Json, new: Json, place: Place, role: Role) -> Iterator[Change]:
        """`place` is where both stand; what differs inside of a component stands there."""
        for where, effect, what in self._pair(old, new, place, role):
            yield judged(where, what, effect, role)

    def _pair(self, old: Json, new: Json, place: Place, role: Role) -> Found:
        names = _component(old), _component(new)
        if names[0] and names[1]:
            yield from self._components(names[0], names[1], place, role)
            old, new = _beside(old), _beside(new)
        yield from self._nodes(_flat(self.old, old), _flat(self.new, new), place, role)

    def _components(self, old: str, new: str, place: Place, role: Role) -> Found:
        nodes = _named(self.old, old), _named(self.new, new)
        if old != new and (_has_type(nodes[0]) or _has_type(nodes[1])):
            yield place, Effect.LOST, f"{old} became {new}, which is another type of generated code"
        if (old, new, role) in self._seen:
            return
        self._seen.add((old, new, role))
        there = Place(place.document, ("components", "schemas", new), old)
        flat = _flat(self.old, nodes[0]), _flat(self.new, nodes[1])
        yield from self._nodes(*flat, there, role)

    def _nodes(self, old: Json, new: Json, place: Place, role: Role) -> Found:
        found = list(self._differences(old, new, place, role))
        yield from found
        if not found and _plain(old) != _plain(new):
            yield place, Effect.SAME, "written otherwise"

    def _differences(self, old: Json, new: Json, place: Place, role: Role) -> Found:
        yield from self._all_of(old.get("allOf", []), new.get("allOf", []), place, role)
        before, after = _split(self.old, old), _split(self.new, new)
        if before.null != after.null:
            effect = Effect.WIDER if after.null else Effect.NARROWER
            yield place, effect, "may be null" if after.null else "may no longer be null"
        if before.union or after.union:
            yield from self._unions(before, after, place, role)
            yield from _discriminators(old, new, place)
            return
        (old, new) = before.others[0], after.others[0]
        if _component(old) or _component(new):
            yield from self._pair(old, new, place, role)
            return
        for effect, what in keyword_differences(old, new):
            yield place, effect, what
        yield from self._members(old, new, place, role)
        for word in ("items", "additionalProperties", "propertyNames"):
            yield from self._inner(word, old.get(word), new.get(word), place, role)

    def _inner(self, word: str, old: Any, new: Any, place: Place, role: Role) -> Found:
        """A schema for all items or members; absent or `true` lets everything pass."""
        old, new = (True if value is None else value for value in (old, new))
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self._pair(old, new, place.at(word), role)
        elif old != new:
            narrower = new is False or old is True
            open_object = word == "additionalProperties" and old is False
            wider = Effect.NEW_MEMBER if open_object else Effect.WIDER
            what = f"{word} {'tightened' if narrower else 'opened'}"
            yield place, Effect.NARROWER if narrower else wider, what

    def _members(self, old: Json, new: Json, place: Place, role: Role) -> Found:
        before, after = old.get("properties", {}), new.get("properties", {})
        demanded = set(old.get("required", [])), set(new.get("required", []))
        for name in before | after:
            there = place.at("properties", name)
            if name not in after:
                yield there, Effect.LOST, f"{name} is gone"
            elif name not in before:
                yield there, Effect.NEW_MEMBER, f"{name} is new"
                if name in demanded[1] and role is Role.TAKEN:
                    yield place.at("required"), Effect.NARROWER, f"{name} is required"
            else:
                needed = tuple(name in names for names in demanded)
                if needed[0] != needed[1]:
                    effect = Effect.NARROWER if needed[1] else Effect.WIDER
                    what = f"{name} is {'now' if needed[1] else 'no longer'} required"
                    yield place.at("required"), effect, what
                if name not in demanded[0] | demanded[1]:
                    yield from self._defaults(before[name], after[name], there)
                yield from self._pair(before[name], after[name], there, role)

    def _defaults(self, old: Json, new: Json, place: Place) -> Found:
        """Absent without a default is read as null."""
        before, after = default_of(_flat(self.old, old)), default_of(_flat(self.new, new))
        if before != after:
            yield place, Effect.OTHER, f"absent meant {shown(before)}, now {shown(after)}"

    def _all_of(self, old: list[Json], new: list[Json], place: Place, role: Role) -> Found:
        pairs, gone, added = _matched(self.old, self.new, old, new)
        for before, after in pairs:
            yield from self._pair(before, after, place.at("allOf"), role)
        for member in gone:
            yield place, Effect.WIDER, f"{_called(member)} is no longer demanded"
        for member in added:
            yield place, Effect.NARROWER, f"{_called(member)} is demanded too"

    def _unions(self, old: _Split, new: _Split, place: Place, role: Role) -> Found:
        pairs, gone, added = _matched(self.old, self.new, old.others, new.others)
        inside = place.at(new.union or old.union or "oneOf")
        for before, after in pairs:
            yield from self._pair(before, after, inside, role)
        for member in gone:
            yield place, Effect.NARROWER, f"the alternative {_called(member)} is gone"
        for member in added:
            yield place, Effect.WIDER, f"the alternative {_called(member)} is new"
        if old.union and new.union and old.union != new.union:
            effect = Effect.NARROWER if new.union == "oneOf" else Effect.WIDER
            yield place, effect, f"{old.union} became {new.union}"


def _discriminators(old: Json, new: Json, place: Place) -> Found:
    before, after = old.get("discriminator", {}), new.get("discriminator", {})
    if before.get("propertyName") != after.get("propertyName"):
        names = shown(before.get("propertyName")), shown(after.get("propertyName"))
        yield place, Effect.OTHER, f"told apart by {names[1]}, was by {names[0]}"
    for key in sorted({**before.get("mapping", {}), **after.get("mapping", {})}):
        targets = before.get("mapping", {}).get(key), after.get("mapping", {}).get(key)
        if targets[0] and targets[1] and targets[0] != targets[1]:
            yield place, Effect.OTHER, f"{key} stands for {_last(targets[1])}"
        elif targets[0] and not targets[1]:
            yield place, Effect.LOST, f"{key} stands for nothing"


def _matched(
    old_document: Json, new_document: Json, old: list[Json], new: list[Json]
) -> tuple[list[tuple[Json, Json]], list[Json], list[Json]]:
    """The alternatives that correspond to each other, those that are gone, those that are new."""
    pairs, rest = [], list(new)
    gone = []
    for member in old:
        same = next((other for other in rest if _called(other) == _called(member)), None)
        same = same or next(
            (o for o in rest if _flat(new_document, o) == _flat(old_document, member)), None
        )
        if same is None:
            gone.append(member)
        else:
            rest.remove(same)
            pairs.append((member, same))
    return pairs, gone, rest


def _split(document: Json, schema: Json) -> _Split:
    union = next((word for word in ("oneOf", "anyOf") if word in schema), None)
    if union:
        members = [member for member in schema[union] if member.get("type") != "null"]
        null = len(members) < len(schema[union])
        return _Split(null, members, union if len(members) > 1 else None)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if "null" not in kinds or len(kinds) == 1:
        return _Split(False, [schema], None)
    others = [kind for kind in kinds if kind != "null"]
    return _Split(True, [{**schema, "type": others if len(others) > 1 else others[0]}], None)


def _component(schema: Json) -> str | None:
    reference = schema.get("$ref", "")
    return _last(reference) if reference.startswith(_PREFIX) else None


def _named(document: Json, name: str) -> Json:
    found: Json = document["components"]["schemas"][name]
    return found


def _beside(schema: Json) -> Json:
    """What stands beside a reference and says something of the value; a default is the member's."""
    unread = {"$ref", "default", *EDITORIAL}
    return {word: value for word, value in schema.items() if word not in unread}


def _flat(document: Json, schema: Json) -> Json:
    while (name := _component(schema)) is not None:
        beside = {word: value for word, value in schema.items() if word != "$ref"}
        schema = {**_named(document, name), **beside}
    return schema


def _plain(schema: Json) -> Json:
    """Without what stands elsewhere (members, alternatives) and what is for people."""
    inner = {"properties", "oneOf", "anyOf", "items", "additionalProperties", "propertyNames"}
    unread = {*inner, *EDITORIAL, "default", "required"}
    return {word: value for word, value in schema.items() if word not in unread}


def _has_type(schema: Json) -> bool:
    """Whether generators make a class of it, and no alias."""
    return bool({"properties", "oneOf", "anyOf", "enum"} & set(schema))


def _called(schema: Json) -> str:
    return _component(schema) or str(schema.get("const") or schema.get("type") or "inline")


def _last(reference: str) -> str:
    return reference.rsplit("/", 1)[1]
