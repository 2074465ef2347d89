"""Rules that look at a value alone."""

import re
from collections.abc import Callable, Sized
from datetime import date, datetime
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

import re2

from impl.routing.patterns import cost
from impl.schemas.run import JSON, Rule, Run, Seen, key_of

# Measured: RE2 takes at most 45 ns for a character and a place of a pattern; a step takes 0.7 µs.
PLACES_A_STEP = 16
FORMAT_STEPS = 8  # an IPv6 address
FRACTION_STEPS = 6  # of the largest numbers


def _is_number(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: JSON) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


IS: dict[str, Callable[[JSON], bool]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "null": lambda value: value is None,
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


def of_type(wanted: JSON) -> Rule:
    listed = wanted if isinstance(wanted, list) else [wanted]
    tests = [IS[name] for name in listed]

    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        return any(test(value) for test in tests) or run.fault("type")

    return rule


def one_of(keyword: str, allowed: list[JSON]) -> Rule:
    """`enum`, and `const`, which is an enum of one."""
    keys = {key_of(each) for each in allowed}

    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        return key_of(value, run) in keys or run.fault(keyword)

    return rule


def bound(keyword: str, limit: Any) -> Rule:
    """Of a number, or of how long a text, a list or an object is."""
    measure, kept = BOUNDS[keyword]

    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        size = measure(value)
        return size is None or kept(size, limit) or run.fault(keyword)

    return rule


def multiple(of: Any) -> Rule:
    step = Fraction(repr(of))

    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        if not _is_number(value):
            return True
        run.spend(FRACTION_STEPS)
        return Fraction(repr(value)) % step == 0 or run.fault("multipleOf")

    return rule


def different_items(wanted: bool) -> Rule | None:
    if not wanted:
        return None

    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        if not isinstance(value, list):
            return True
        keys = {key_of(item, run) for item in value}
        return len(keys) == len(value) or run.fault("uniqueItems")

    return rule


def required(names: list[str]) -> Rule:
    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        if not isinstance(value, dict):
            return True
        run.spend(len(names) // 8)
        return all(name in value for name in names) or run.fault("required")

    return rule


def dependent_required(by_name: dict[str, list[str]]) -> Rule:
    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        if not isinstance(value, dict):
            return True
        run.spend(len(by_name))
        wanted = (name for given, names in by_name.items() if given in value for name in names)
        return all(name in value for name in wanted) or run.fault("dependentRequired")

    return rule


class Pattern:
    """A pattern of RE2, which is searched for at a price."""

    __slots__ = ("_compiled", "_places")

    def __init__(self, pattern: str) -> None:
        options = re2.Options()
        options.log_errors = False
        options.never_capture = True
        self._compiled = re2.compile(pattern.encode(), options)
        self._places = cost([pattern]) + 1

    def found(self, text: str, run: Run) -> bool:
        encoded = text.encode()
        run.spend(1 + len(encoded) * self._places // PLACES_A_STEP)
        return self._compiled.search(encoded) is not None


def matches(pattern: str) -> Rule:
    compiled = Pattern(pattern)

    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        if not isinstance(value, str):
            return True
        return compiled.found(value, run) or run.fault("pattern")

    return rule


def of_format(name: str) -> Rule | None:
    """None for those that are only told, not checked."""
    read = FORMATS.get(name)
    if read is None:
        return None

    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        if not isinstance(value, str):
            return True
        run.spend(FORMAT_STEPS)
        try:
            read(value)
        except ValueError:
            return run.fault("format")
        return True

    return rule


DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile(
    r"([0-9-]{10})[Tt ]([0-9:]{8})(?:\.[0-9]{1,20})?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
UUID_FORM = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _date(text: str) -> None:
    if not DATE.fullmatch(text):
        raise ValueError
    date.fromisoformat(text)


def _moment(text: str) -> None:
    parts = MOMENT.fullmatch(text)
    if parts is None:
        raise ValueError
    datetime.fromisoformat(f"{parts[1]}T{parts[2]}{parts[3].upper()}")


def _uuid(text: str) -> None:
    if not UUID_FORM.fullmatch(text):
        raise ValueError
    UUID(text)


FORMATS: dict[str, Callable[[str], object]] = {
    "date": _date,
    "date-time": _moment,
    "ipv4": IPv4Address,
    "ipv6": IPv6Address,
    "uuid": _uuid,
}


def _number(value: JSON) -> Any:
    return value if _is_number(value) else None


def _length_of(kind: type[Sized]) -> Callable[[JSON], int | None]:
    return lambda value: len(value) if isinstance(value, kind) else None


BOUNDS: dict[str, tuple[Callable[[JSON], Any], Callable[[Any, Any], bool]]] = {
    "maximum": (_number, lambda size, limit: size <= limit),
    "minimum": (_number, lambda size, limit: size >= limit),
    "exclusiveMaximum": (_number, lambda size, limit: size < limit),
    "exclusiveMinimum": (_number, lambda size, limit: size > limit),
    "maxLength": (_length_of(str), lambda size, limit: size <= limit),
    "minLength": (_length_of(str), lambda size, limit: size >= limit),
    "maxItems": (_length_of(list), lambda size, limit: size <= limit),
    "minItems": (_length_of(list), lambda size, limit: size >= limit),
    "maxProperties": (_length_of(dict), lambda size, limit: size <= limit),
    "minProperties": (_length_of(dict), lambda size, limit: size >= limit),
}

# By keyword, in the order in which they are asked; None where there is nothing to ask.
RULES: dict[str, Callable[[Any], Rule | None]] = {
    "type": of_type,
    "const": lambda value: one_of("const", [value]),
    "enum": lambda values: one_of("enum", values),
    "multipleOf": multiple,
    "uniqueItems": different_items,
    "required": required,
    "dependentRequired": dependent_required,
    "format": of_format,
    "pattern": matches,
}
