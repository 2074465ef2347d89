"""Credentials compared: what sufficed suffices."""

from collections.abc import Iterator

from tools.compat.change import Change, Place, breaking, compatible
from tools.contract import Json

Need = dict[str, list[str]]


def security_changes(old: Json, new: Json, place: Place, *, served: bool) -> Iterator[Change]:
    """Every alternative of the side that holds the released contract must still do."""
    before, after = old.get("security", []), new.get("security", [])
    if before == after:
        return
    mine, theirs = (before, after) if served else (after, before)
    lost = [need for need in mine or [{}] if not _suffices(need, theirs)]
    for need in lost:
        what = f"{_named(need)} no longer suffices" if served else f"{_named(need)} is sent"
        why = "good credentials are refused" if served else "plugins do not know it"
        yield breaking(place, what, why)
    if not lost:
        yield compatible(place, f"{_all(after)} suffices", "what sufficed before still does")


def _suffices(need: Need, alternatives: list[Need]) -> bool:
    return not alternatives or any(
        all(scheme in need and set(scopes) <= set(need[scheme]) for scheme, scopes in other.items())
        for other in alternatives
    )


def _named(need: Need) -> str:
    schemes = [
        f"{scheme} with {', '.join(scopes)}" if scopes else scheme
        for scheme, scopes in need.items()
    ]
    return " and ".join(schemes) or "no credential"


def _all(needs: list[Need]) -> str:
    return " or ".join(map(_named, needs)) or "no credential"


def scheme_changes(old: Json, new: Json, document: str) -> Iterator[Change]:
    before = old.get("components", {}).get("securitySchemes", {})
    after = new.get("components", {}).get("securitySchemes", {})
    for name in before | after:
        place = Place(document, ("components", "securitySchemes", name), name)
        if name not in after:
            yield breaking(place, f"{name} is gone", "code that names it no longer works")
        elif name not in before:
            yield compatible(place, f"{name} is new", "nobody is asked for it yet")
        elif _wire(before[name]) != _wire(after[name]):
            yield breaking(place, f"{name} is sent otherwise", "good credentials are not found")


def _wire(scheme: Json) -> Json:
    return {word: value for word, value in scheme.items() if word != "description"}
