"""What the router asks of a classifier, whatever it is made of."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import orjson


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a tag stands for: the examples and descriptions of all intents of that tag."""

    examples: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Meanings:
    """All tags that a classifier may answer. `version` is a digest of the whole, in hexadecimal.

    A tag is one class, whichever plugins have an intent of it: the router then decides among them.
    """

    tags: Mapping[str, Meaning] = field(default_factory=dict)
    version: str = ""


@dataclass(frozen=True, slots=True)
class Classified:
    """`scores` are the likeliest tags with their confidence, 0 to 1, the best first; few of them.

    None of them may fit. `classifier` and `version` name who says so; `catalogue_version` is of
    the Meanings that it learned from, `fallback` why another one answers than was asked.
    """

    scores: Sequence[tuple[str, float]]
    classifier: str
    version: str
    catalogue_version: str
    fallback: str | None = None


class MeaningsSource(Protocol):
    """A Catalogue."""

    async def meanings(self) -> Meanings: ...


class Classifier(Protocol):
    async def classify(self, text: str, meanings: Meanings) -> Classified | None:
        """Only tags of `meanings`. None where it cannot answer at all. Never raises."""
        ...


def meanings_of(intents: Iterable[Mapping[str, object]]) -> Meanings:
    """The classifier's part of the intents of all plugins, as their rows hold them."""
    examples: dict[str, set[str]] = {}
    descriptions: dict[str, set[str]] = {}
    for intent in intents:
        condition = intent["activation_condition"]
        if not isinstance(condition, Mapping) or condition.get("type") != "classifier":
            continue
        tag = str(intent["tag"])
        found = intent.get("examples") or ()
        examples.setdefault(tag, set()).update(map(str, found if isinstance(found, list) else ()))
        descriptions.setdefault(tag, set())
        if intent.get("description"):
            descriptions[tag].add(str(intent["description"]))
    tags = {
        tag: Meaning(tuple(sorted(examples[tag])), tuple(sorted(descriptions[tag])))
        for tag in sorted(examples)
    }
    if not tags:
        return Meanings()
    whole = [[tag, one.examples, one.descriptions] for tag, one in tags.items()]
    return Meanings(tags, hashlib.sha256(orjson.dumps(whole)).hexdigest())
