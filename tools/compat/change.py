"""A difference between two contracts, and when it breaks somebody.

Whoever holds the released contract may rely on three things: a request that was good stays good
and means the same; whatever arrives lies inside of what was promised; the names that generated
code uses stay. A difference that takes one of them away is breaking.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from tools.contract import METHODS, Json, Parts

Kind = Literal["breaking", "compatible"]
_SHOWN = 80


class Role(Enum):
    """Who writes a value, and how strictly it is read."""

    TAKEN = "we read it"
    """A request to the core, a plugin's answer."""
    GIVEN = "we write it to readers that skip members they do not know"
    """An answer of the core, an event."""
    SENT = "we write it to servers that refuse members they do not know"
    """A request of the core to a plugin."""


class Effect(Enum):
    """What a difference does to the values of a schema."""

    NARROWER = "fewer values are valid"
    WIDER = "more values are valid"
    OTHER = "other values are valid, or they mean something else"
    LOST = "a name is gone"
    NEW_MEMBER = "an object may hold one member more"
    SAME = "the same values are valid"


_BREAKS: dict[tuple[Role, Effect], str] = {
    (Role.TAKEN, Effect.NARROWER): "what was good is refused",
    (Role.GIVEN, Effect.WIDER): "something arrives that was excluded",
    (Role.SENT, Effect.WIDER): "a plugin is sent something that was excluded",
    (Role.SENT, Effect.NEW_MEMBER): "a plugin refuses members that it does not know",
}
_HARMLESS: dict[tuple[Role, Effect], str] = {
    (Role.TAKEN, Effect.WIDER): "what was good stays good",
    (Role.TAKEN, Effect.NEW_MEMBER): "no request needed it before",
    (Role.GIVEN, Effect.NARROWER): "what arrives was possible before",
    (Role.GIVEN, Effect.NEW_MEMBER): "readers skip members that they do not know",
    (Role.SENT, Effect.NARROWER): "what arrives was possible before",
}
_ALWAYS: dict[Effect, str] = {
    Effect.OTHER: "what one side writes may not be what the other reads",
    Effect.LOST: "code that names it no longer works",
}


@dataclass(frozen=True)
class Place:
    """Where something stands in a bundled document, and what a changelog calls it."""

    document: str
    parts: Parts
    name: str

    def at(self, *parts: str) -> "Place":
        return Place(self.document, (*self.parts, *parts), self.name)

    def of(self, old: Json, new: Json) -> "Place":
        """The component that both nodes refer to, or this place."""
        reference = old.get("$ref")
        if reference is None or reference != new.get("$ref"):
            return self
        parts = tuple(reference.removeprefix("#/").split("/"))
        return Place(self.document, parts, parts[-1])

    def __str__(self) -> str:
        parts = self.parts
        if parts[:1] == ("paths",) and len(parts) > 2 and parts[2] in METHODS:
            head, rest = f"{parts[2].upper()} {parts[1]}", parts[3:]
        elif parts[:1] == ("components",) and len(parts) > 2:
            head, rest = f"{parts[1]}/{parts[2]}", parts[3:]
        else:
            head, rest = "/".join(parts[:2]), parts[2:]
        whole = f"{head}#/{'/'.join(rest)}" if rest else head
        return whole if self.document == "openapi" else f"{self.document}: {whole}"


@dataclass(frozen=True)
class Change:
    place: Place
    kind: Kind
    what: str
    why: str

    @property
    def breaks(self) -> bool:
        return self.kind == "breaking"

    def __str__(self) -> str:
        return f"{self.place}: {self.what}; {self.why}"


@dataclass(frozen=True)
class Both:
    """What a rule may ask of the two contracts around a difference."""

    old_codes: dict[str, Json]
    new_codes: dict[str, Json]
    served: bool = True
    """Whether the core answers here; else it is the caller."""


def breaking(place: Place, what: str, why: str) -> Change:
    return Change(place, "breaking", what, why)


def compatible(place: Place, what: str, why: str) -> Change:
    return Change(place, "compatible", what, why)


def judged(place: Place, what: str, effect: Effect, role: Role) -> Change:
    """The difference of a schema, for values of this role."""
    if why := _BREAKS.get((role, effect)) or _ALWAYS.get(effect):
        return breaking(place, what, why)
    return compatible(place, what, _HARMLESS.get((role, effect), "no value is judged otherwise"))


def unread(old: Json, new: Json, read: set[str], place: Place) -> Iterator[Change]:
    """What nobody here understands is no promise that may be changed in silence."""
    for word in sorted({*old, *new} - read):
        before: Any = old.get(word)
        if before != new.get(word) and not word.startswith("x-"):
            yield breaking(place.at(word), f"{word} changed", "the comparison does not read it")


def merged(changes: Iterable[Change]) -> list[Change]:
    """Each difference once: a schema of two roles breaks where it breaks in one of them."""
    found: dict[tuple[Place, str], Change] = {}
    for change in changes:
        key = (change.place, change.what)
        if key not in found or (change.breaks and not found[key].breaks):
            found[key] = change
    return sorted(found.values(), key=lambda change: not change.breaks)


def shown(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
