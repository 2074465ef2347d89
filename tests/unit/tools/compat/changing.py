"""Single changes of the contract's own files, written as rows: file, way, new value."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tools.compat.released import Contract, current
from tools.contract import CONTRACT

GONE = object()
Edit = tuple[str, str, Any]
"""A file, the way to a member with spaces between its steps, and what stands there then: a value,
`GONE`, or a function of what stood there."""


@dataclass(frozen=True)
class Case:
    name: str
    said: str
    edits: tuple[Edit, ...]
    before: tuple[Edit, ...] = ()
    """What the released contract is given first."""


def case(name: str, said: str, *edits: Edit, before: tuple[Edit, ...] = ()) -> Case:
    return Case(name, said, edits, before)


def both(one: Case, folder: Path) -> tuple[Contract, Contract]:
    """The contract before and after the change, each bundled from `folder`, which holds a copy."""
    return bundled(folder, one.before), bundled(folder, (*one.before, *one.edits))


def bundled(folder: Path, edits: tuple[Edit, ...]) -> Contract:
    for edit in edits:
        apply(folder, *edit)
    try:
        return current(folder) if edits else untouched()
    finally:
        for name in {name for name, _, _ in edits}:
            restore(folder, name)


@cache
def untouched() -> Contract:
    return current()


def restore(folder: Path, name: str) -> None:
    if (CONTRACT / name).exists():
        shutil.copyfile(CONTRACT / name, folder / name)
    else:
        (folder / name).unlink()


def apply(folder: Path, file: str, way: str, value: Any) -> None:
    path = folder / file
    document = yaml.load(path.read_text(), yaml.CSafeLoader) if path.exists() else {}
    if not way:
        document = _result(document, value)
    else:
        *steps, last = way.split(" ")
        node = document
        for step in steps:
            node = node[int(step) if isinstance(node, list) else step]
        if value is GONE:
            del node[last]
        else:
            key = int(last) if isinstance(node, list) else last
            node[key] = _result(node[key] if isinstance(key, int) else node.get(key), value)
    path.write_text(yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False))


def _result(old: Any, value: Any) -> Any:
    return value(old) if callable(value) else value


def plus(item: Any) -> Callable[[list[Any] | None], list[Any]]:
    return lambda items: [*(items or []), item]


def minus(item: Any) -> Callable[[list[Any]], list[Any]]:
    def without(items: list[Any]) -> list[Any]:
        assert item in items, f"{item!r} is not in {items}"
        return [other for other in items if other != item]

    return without


def renamed(old: str, new: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(members: dict[str, Any]) -> dict[str, Any]:
        assert old in members
        return {new if key == old else key: value for key, value in members.items()}

    return change


def nullable(reference: str) -> dict[str, Any]:
    return {"anyOf": [{"$ref": reference}, {"type": "null"}]}
