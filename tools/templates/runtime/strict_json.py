"""JSON that means one thing to everybody who reads it.

The standard library's parser takes NaN, duplicate keys and lone surrogates; PostgreSQL's jsonb
refuses NUL and surrogates; others round what exceeds 64 bits. All of it is refused here, before
anything is stored. Only a body that looks suspicious is walked, so an ordinary one costs a parse.

Values cost far more than bytes: a megabyte of `[],[],` would hold the event loop for a second. So
their number is bounded before anything is made of them.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NoReturn

from generated.errors import DuplicateKey, InvalidJson, InvalidUtf8, ValidationFailed
from generated.runtime.problems import MAX_ERRORS, InvalidValue, Location, pointer

MAX_DEPTH = 32
MAX_VALUES = 20_000
_CONTAINERS = (dict, list)
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
INT64_CHARACTERS = 20
PLAIN_CHARACTERS = 18  # an integer of no more is in range, its sign included
_OUT_OF_RANGE = 2**64  # stands for an integer of any greater length
_PRINTABLE_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# Possessive, and whole without its last quote too: linear in any body.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_ESCAPES = re.compile(rb"\\u0000|\\u[dD][89a-fA-F]")
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


class _DuplicateKeyError(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(key)
            seen.add(key)
    return result


class _OddNumberError(ValueError):
    """A number that may be out of range: the walk must find its place."""


def _plain_integer(digits: str) -> int:
    if len(digits) > PLAIN_CHARACTERS:
        raise _OddNumberError
    return int(digits)


def _plain_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _OddNumberError
    return value


def _any_integer(digits: str) -> int:
    return int(digits) if len(digits) <= INT64_CHARACTERS else _OUT_OF_RANGE


def _constant(_name: str) -> NoReturn:
    raise InvalidJson("NaN and Infinity are not JSON.")


_plain = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_plain_integer,
    parse_float=_plain_float,
    parse_constant=_constant,
)
# Without the two searches for blanks around the value, of which a caller seldom sends any.
_scan: Callable[[str, int], tuple[object, int]] = _plain.scan_once  # type: ignore[attr-defined]  # not in its stub
_any = json.JSONDecoder(object_pairs_hook=_object, parse_int=_any_integer, parse_constant=_constant)


def parse(body: bytes, location: Location = "body", max_values: int = MAX_VALUES) -> object:
    """The value of `body`. Raises InvalidUtf8, InvalidJson, DuplicateKey or ValidationFailed."""
    try:
        text = body.decode("utf-8")
        if _are_more(body, max_values) and _are_more(_STRINGS.sub(b"", body), max_values):
            message = f"More than {max_values} values"
            raise ValidationFailed(errors=[InvalidValue(location, "", "too_many_values", message)])
        value, odd = _decode(text)
    except UnicodeDecodeError as error:
        raise InvalidUtf8(f"The byte at offset {error.start} is not UTF-8.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidJson(f"The body is not JSON: {error.msg.lower()} at {where}.") from None
    except _DuplicateKeyError as error:
        named = f" ({error.key})" if _PRINTABLE_KEY.fullmatch(error.key) else ""
        raise DuplicateKey(f"An object names a key twice{named}.") from None
    except RecursionError:
        raise ValidationFailed(errors=[_too_deep(location, ())]) from None
    if odd or (b"\\" in body and _ESCAPES.search(body)) or _is_deep(body, value):
        found = list(islice(_faults(value, location), MAX_ERRORS))
        if found:
            raise ValidationFailed(errors=found)
    return value


def _are_more(body: bytes, most: int) -> bool:
    """Whether there may be more values in `body`: each follows a comma, or opens what holds it."""
    if len(body) <= most:  # nearly all bodies
        return False
    return body.count(b",") + body.count(b"[") + body.count(b"{") > most


def _is_deep(body: bytes, value: object) -> bool:
    if len(body) < 2 * MAX_DEPTH or body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return False
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            item
            for node in level
            for item in (node.values() if isinstance(node, dict) else node)
            if isinstance(item, _CONTAINERS)
        ]
    return bool(level)


def _decode(text: str) -> tuple[object, bool]:
    """The value of `text`, and whether a number in it may be out of range."""
    try:
        try:
            value, end = _scan(text, 0)
        except StopIteration:  # blanks before it, or no value
            return _plain.decode(text), False
        if end == len(text) or not text[end:].strip(" \t\r\n"):
            return value, False
        return _plain.decode(text), False  # which tells what is wrong, and where
    except _OddNumberError:
        return _any.decode(text), True


def _too_deep(location: Location, path: tuple[str | int, ...]) -> InvalidValue:
    message = f"Nested deeper than {MAX_DEPTH} levels"
    return InvalidValue(location, pointer(*path), "too_deep", message)


def _faults(value: object, location: Location) -> Iterator[InvalidValue]:
    """Every value that cannot be kept, with its place."""
    waiting: list[tuple[object, tuple[str | int, ...]]] = [(value, ())]
    while waiting:
        node, path = waiting.pop()
        if isinstance(node, dict | list) and len(path) >= MAX_DEPTH:
            yield _too_deep(location, path)
        elif isinstance(node, dict):
            for key, item in node.items():
                if fault := _text_fault(key):
                    yield InvalidValue(location, pointer(*path, key), *fault)
                waiting.append((item, (*path, key)))
        elif isinstance(node, list):
            waiting.extend((item, (*path, index)) for index, item in enumerate(node))
        elif fault := _scalar_fault(node):
            yield InvalidValue(location, pointer(*path), *fault)


def _scalar_fault(value: object) -> tuple[str, str] | None:
    if isinstance(value, str):
        return _text_fault(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "number_out_of_range", "Number exceeds what a double holds"
    if isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        return "number_out_of_range", "Integer exceeds 64 bits"
    return None


def _text_fault(text: str) -> tuple[str, str] | None:
    found = _FORBIDDEN.search(text)
    if found is None:
        return None
    if found[0] == "\x00":
        return "character_forbidden", "The character U+0000 cannot be kept"
    return "character_forbidden", "A lone surrogate is no character"
