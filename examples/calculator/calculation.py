"""Arithmetic with units, exact: a parser of its own, with bounds on all that a text can ask for.

    sum     = term {("+" | "-") term}
    term    = factor {("*" | "/") factor}
    factor  = ("+" | "-") factor | power
    power   = quantity ["^" factor]
    quantity = (number | "(" sum ")") [unit]

A whole text is a sum, and perhaps `in`, `to`, `as` or `в` and the unit of the answer.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import NoReturn

from decimals import shown
from units import Unit, find

LONGEST_TEXT = 200
LONGEST_NUMBER = 30  # digits
DEEPEST = 20
LARGEST_POWER = 100
LARGEST_BITS = 4096  # of a numerator or a denominator

TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:[.,]\d+)?(?:[eE][+-]?\d{1,3}(?![\w.]))?)|(?P<word>°?[^\W\d_]+)"
    r"|(?P<sign>\*\*|[-+*/^()×÷−·]))"
)
SIGNS = {"×": "*", "·": "*", "÷": "/", "−": "-", "**": "^"}
INTO = {"in", "to", "as", "into", "в"}
INCH = find("in")


class CalculationError(Exception):
    """Why there is no result: the key of a sentence in plugin.py, and what it is about."""

    def __init__(self, key: str, about: str = "") -> None:
        super().__init__(key)
        self.key, self.about = key, about


@dataclass(frozen=True)
class Quantity:
    """`value` is in `unit`; None is a bare number."""

    value: Fraction
    unit: Unit | None = None

    def into(self, unit: Unit) -> "Quantity":
        if self.unit is None:
            return Quantity(self.value, unit)
        if self.unit.measure != unit.measure:
            raise CalculationError("other_measure", f"{self.unit.name}, {unit.name}")
        return Quantity(unit.from_base(self.unit.to_base(self.value)), unit)

    def __str__(self) -> str:
        number = shown(self.value)
        return number if self.unit is None else f"{number} {self.unit.name}"


def calculate(text: str) -> Quantity:
    """Raises CalculationError."""
    if len(text) > LONGEST_TEXT:
        raise CalculationError("too_long", str(LONGEST_TEXT))
    return _Parser(_tokens(text)).whole()


def _tokens(text: str) -> list[str]:
    found, place, text = [], 0, text.rstrip()
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None:
            raise CalculationError("not_read", text[place:].strip()[:20])
        token = match[0].strip()
        found.append(SIGNS.get(token, token))
        place = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0

    def whole(self) -> Quantity:
        result = self._sum()
        if self._next.casefold() in INTO:
            self._take()
            result = result.into(self._unit())
        elif result.unit == INCH and find(self._next) is not None:  # `5 in cm`
            result = result.into(self._unit())
        if self._next:
            raise CalculationError("not_read", self._next)
        return result

    @property
    def _next(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next
        self._place += 1
        return token

    def _unit(self) -> Unit:
        name = self._take()
        unit = find(name)
        if unit is None:
            raise CalculationError("no_unit", name) if name else CalculationError("unfinished")
        return unit

    def _sum(self) -> Quantity:
        left = self._term()
        while self._next in {"+", "-"}:
            sign = self._take()
            left = _bounded(_added(left, self._term(), 1 if sign == "+" else -1))
        return left

    def _term(self) -> Quantity:
        left = self._factor()
        while self._next in {"*", "/"}:
            times = self._take() == "*"
            right = self._factor()
            left = _bounded(_multiplied(left, right) if times else _divided(left, right))
        return left

    def _factor(self) -> Quantity:
        if self._next in {"+", "-"}:
            sign = self._take()
            with_sign = self._inner(self._factor)
            return with_sign if sign == "+" else Quantity(-with_sign.value, with_sign.unit)
        left = self._quantity()
        if self._next == "^":
            self._take()
            left = _bounded(_raised(left, self._inner(self._factor)))
        return left

    def _quantity(self) -> Quantity:
        word = self._take()
        if word == "(":
            inside = self._inner(self._sum)
            if self._take() != ")":
                raise CalculationError("unfinished")
        elif word[:1].isdecimal():
            inside = Quantity(_number(word))
        else:
            raise CalculationError("not_read", word) if word else CalculationError("unfinished")
        return self._with_unit(inside)

    def _with_unit(self, quantity: Quantity) -> Quantity:
        word = self._next
        if not word[:1].isalpha() and word[:1] != "°":
            return quantity
        # `in` is an inch after a bare number, and a preposition after a unit.
        if word.casefold() in INTO and (quantity.unit is not None or find(word) is None):
            return quantity
        unit = self._unit()
        if quantity.unit is not None:
            _no_product(quantity.unit, unit)
        return quantity.into(unit)

    def _inner(self, parse: Callable[[], Quantity]) -> Quantity:
        self._depth += 1
        if self._depth > DEEPEST:
            raise CalculationError("too_deep")
        found = parse()
        self._depth -= 1
        return found


def _number(token: str) -> Fraction:
    if sum(character.isdigit() for character in token) > LONGEST_NUMBER:
        raise CalculationError("too_many_digits", str(LONGEST_NUMBER))
    mantissa, _, exponent = token.replace(",", ".").lower().partition("e")
    if exponent and abs(int(exponent)) > LARGEST_POWER:
        raise CalculationError("too_large_power", str(LARGEST_POWER))
    return Fraction(mantissa) * Fraction(10) ** int(exponent or 0)


def _added(left: Quantity, right: Quantity, sign: int) -> Quantity:
    if left.unit is None or right.unit is None:
        if left.unit is not right.unit:
            raise CalculationError("unit_missing")
        return Quantity(left.value + sign * right.value)
    if "temperature" in {left.unit.measure, right.unit.measure}:
        raise CalculationError("temperatures")
    return Quantity(left.value + sign * right.into(left.unit).value, left.unit)


def _multiplied(left: Quantity, right: Quantity) -> Quantity:
    if left.unit is not None and right.unit is not None:
        _no_product(left.unit, right.unit)
    return Quantity(left.value * right.value, left.unit or right.unit)


def _divided(left: Quantity, right: Quantity) -> Quantity:
    if right.value == 0 and (right.unit is None or right.unit.measure != "temperature"):
        raise CalculationError("by_zero")
    if right.unit is None:
        return Quantity(left.value / right.value, left.unit)
    if left.unit is None or "temperature" in {left.unit.measure, right.unit.measure}:
        _no_product(left.unit, right.unit)
    return Quantity(left.value / right.into(left.unit).value)


def _raised(left: Quantity, right: Quantity) -> Quantity:
    if left.unit is not None or right.unit is not None:
        raise CalculationError("power_of_units")
    if right.value.denominator != 1:
        raise CalculationError("whole_power")
    if abs(right.value) > LARGEST_POWER:
        raise CalculationError("too_large_power", str(LARGEST_POWER))
    if left.value == 0 and right.value < 0:
        raise CalculationError("by_zero")
    return Quantity(left.value ** int(right.value))


def _no_product(left: Unit | None, right: Unit) -> NoReturn:
    names = [unit.name for unit in (left, right) if unit is not None]
    raise CalculationError("no_product", ", ".join(names))


def _bounded(quantity: Quantity) -> Quantity:
    value = quantity.value
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > LARGEST_BITS:
        raise CalculationError("too_large")
    return quantity
