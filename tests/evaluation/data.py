"""Utterances with their intents, and the manifests of plugins that would answer them."""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OUT_OF_SCOPE = "oos"
MOST_EXAMPLES = 200  # of an intent, and
MOST_INTENTS = 200  # of a manifest, by the contract
MOST_BYTES = 48 * 1024  # of a manifest; the contract has 64 KB for what PostgreSQL makes of it

Pair = tuple[str, str]


class BadDataError(Exception):
    """What is wrong with the file, and where."""


@dataclass(frozen=True)
class Data:
    train: list[Pair]
    val: list[Pair]
    oos_val: list[str]


def read(folder: Path) -> Data:
    """`data.json` in the form of CLINC150. Raises BadDataError."""
    path = folder / "data.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadDataError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise BadDataError(f"{path} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadDataError(f"{path}: an object with train, val and oos_val is wanted")
    parts = {name: _pairs(path, found, name) for name in ("train", "val", "oos_val")}
    return Data(parts["train"], parts["val"], [text for text, _ in parts["oos_val"]])


def _pairs(path: Path, found: dict[str, Any], name: str) -> list[Pair]:
    rows = found.get(name)
    if not isinstance(rows, list) or not rows:
        raise BadDataError(f"{path}: {name} must be a list of [utterance, intent], not empty")
    for number, row in enumerate(rows):
        if not (isinstance(row, list) and len(row) == 2 and all(isinstance(x, str) for x in row)):
            raise BadDataError(f"{path}: {name}[{number}] must be [utterance, intent]")
    return [(text, intent) for text, intent in rows]


def intents(train: list[Pair]) -> list[dict[str, Any]]:
    """Of the classifier, one for each tag."""
    examples: dict[str, dict[str, None]] = defaultdict(dict)
    for text, tag in train:
        if tag != OUT_OF_SCOPE:
            examples[tag][text] = None
    return [
        {
            "tag": tag,
            "activation_condition": {"type": "classifier"},
            "examples": list(texts)[:MOST_EXAMPLES],
        }
        for tag, texts in sorted(examples.items())
    ]


def plugins(found: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The intents of each plugin, as many as its manifest may hold."""
    groups: list[list[dict[str, Any]]] = [[]]
    size = 0
    for intent in found:
        more = len(json.dumps(intent))
        if groups[-1] and (size + more > MOST_BYTES or len(groups[-1]) == MOST_INTENTS):
            groups.append([])
            size = 0
        groups[-1].append(intent)
        size += more
    return groups
