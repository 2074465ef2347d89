"""`x-metrics` compared: whoever drew a panel or wrote an alert finds the series that they named."""

from collections.abc import Iterator

from tools.compat.change import Both, Change, Place, breaking, compatible, shown
from tools.contract import Json

# Deployed together with the version that they are of.
_OURS = {"help", "panel", "alerts"}


def metrics(
    old: list[Json] | None, new: list[Json] | None, place: Place, both: Both
) -> Iterator[Change]:
    before = {metric["name"]: metric for metric in old or []}
    after = {metric["name"]: metric for metric in new or []}
    for name in before | after:
        there = Place(place.document, (*place.parts, name), name)
        if name not in after:
            yield breaking(there, f"{name} is gone", "panels and alerts that ask for it are empty")
        elif name not in before:
            yield compatible(there, f"{name} is new", "nobody asks for it yet")
        else:
            yield from _metric(before[name], after[name], there)


def _metric(old: Json, new: Json, place: Place) -> Iterator[Change]:
    yield from _labels(old.get("labels", {}), new.get("labels", {}), place.at("labels"))
    buckets = set(old.get("buckets", [])), set(new.get("buckets", []))
    for bound in sorted(buckets[0] - buckets[1]):
        yield breaking(place.at("buckets"), f"the bucket {bound} is gone", "queries name its bound")
    for bound in sorted(buckets[1] - buckets[0]):
        yield compatible(place.at("buckets"), f"the bucket {bound} is new", "others stay")
    for word in sorted({*old, *new} - {"labels", "buckets"}):
        if old.get(word) == new.get(word):
            continue
        if word in _OURS:
            yield compatible(place.at(word), f"{word} changed", "the series are the same")
        elif word == "across" and word not in old:
            yield compatible(place.at(word), f"{word} is new", "one process tells what it told")
        else:
            what = f"{word} was {shown(old.get(word))}, is {shown(new.get(word))}"
            yield breaking(place.at(word), what, "queries read other figures")


def _labels(old: Json, new: Json, place: Place) -> Iterator[Change]:
    for name in old | new:
        if name not in new:
            yield breaking(place, f"the label {name} is gone", "queries name it")
        elif name not in old:
            yield breaking(place, f"the label {name} is new", "a series falls into several")
        else:
            yield from _values(old[name], new[name], place.at(name))


def _values(old: Json, new: Json, place: Place) -> Iterator[Change]:
    before, after = set(old.get("values", [])), set(new.get("values", []))
    lost = sorted(before - after)
    other = {**old, "values": 0} != {**new, "values": 0}
    if other or lost:
        what = f"{place.parts[-1]} loses {', '.join(lost)}" if lost else "its values are others"
        yield breaking(place, what, "queries name them")
    elif before != after:
        yield compatible(place, f"{', '.join(sorted(after - before))} is new", "others stay")
