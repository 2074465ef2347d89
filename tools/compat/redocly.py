"""A second opinion: redocly's own comparison, where ours saw nothing at all.

Its rules know no role but request and response, so what the core sends to plugins is compared the
other way round: a released plugin must take what the new core sends.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import redocly
from tools.compat.change import Change, Place, breaking
from tools.compat.released import Contract
from tools.contract import ContractError, Json, Parts

CONFIG = "extends: [diff-recommended]\n"
_LISTS = {"allOf", "anyOf", "oneOf"}
_PARAMETERS = {"parameters", "security", "servers"}  # of an operation; elsewhere by their names


@dataclass(frozen=True)
class Opinion:
    """A major change, as redocly tells it, and where it stands in the bundled documents."""

    change: Change
    places: tuple[Parts, ...]


def unseen(opinions: Iterable[Opinion], ours: list[Change]) -> Iterator[Change]:
    """What stands where `ours` says nothing."""
    for opinion in opinions:
        document = opinion.change.place.document
        seen = [_head(one.place.parts) for one in ours if one.place.document == document]
        places = map(_head, opinion.places)
        if not any(_touch(place, other) for place in places for other in seen if other):
            yield opinion.change


def opinions(old: Contract, new: Contract) -> Iterator[Opinion]:
    for name, before in old.documents.items():
        after = new.documents[name]
        if before == after:
            continue
        pair = (after, before) if name == "plugin.openapi" else (before, after)
        for found in _differences(*pair):
            if found["impact"] == "major":
                yield _opinion(found, name)


def _opinion(found: Json, document: str) -> Opinion:
    place = Place(document, _parts(found["path"]), document)
    rules = ", ".join(verdict["ruleId"] for verdict in found["verdicts"])
    what = " ".join(verdict["message"] for verdict in found["verdicts"])
    sides = (found.get("base"), found.get("revision"))
    places = (place.parts, *(_parts(side["pointer"]) for side in sides if side))
    return Opinion(breaking(place, what, f"so redocly's {rules} says"), places)


def _touch(one: Parts, other: Parts) -> bool:
    """Whether one stands at, in or around the other."""
    return one[: len(other)] == other[: len(one)]


def _head(parts: Parts) -> Parts:
    """Up to a list, whose members it numbers and we name."""
    if parts[-1:] == ("required",):
        return parts[:-1]
    lists = {*_LISTS, *(_PARAMETERS if parts[:1] == ("paths",) else ())}
    return next((parts[: n + 1] for n, part in enumerate(parts) if part in lists), parts)


def _parts(pointer: str) -> Parts:
    parts = pointer.removeprefix("#/").split("/")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def _differences(old: Json, new: Json) -> list[Json]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "redocly.yaml").write_text(CONFIG)
        for side, document in (("old", old), ("new", new)):
            (folder / f"{side}.json").write_text(json.dumps(document))
        done = redocly.run("diff", "old.json", "new.json", "--format", "json", folder=folder)
    if not done.stdout.startswith("{"):
        raise ContractError(f"redocly diff failed:\n{done.stdout}{done.stderr}")
    found: list[Json] = json.loads(done.stdout)["changes"]
    return found
