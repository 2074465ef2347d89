"""Fractions as people read numbers."""

import math
from fractions import Fraction

SHOWN_DIGITS = 30
ROUNDED_DIGITS = 12


def shown(value: Fraction) -> str:
    """The exact decimal where there is a short one; else rounded, with ≈."""
    places = _places(value.denominator)
    if places is not None and places <= SHOWN_DIGITS:
        exact = _decimal(value, places)
        if len(exact) <= SHOWN_DIGITS:
            return exact
    return "≈ " + _rounded(value)


def _places(denominator: int) -> int | None:
    """After the point, so that nothing is lost; None where that takes endlessly many."""
    counts = []
    for prime in (2, 5):
        count = 0
        while denominator % prime == 0:
            denominator, count = denominator // prime, count + 1
        counts.append(count)
    return max(counts) if denominator == 1 else None


def _decimal(value: Fraction, places: int) -> str:
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    whole, part = digits[: len(digits) - places], digits[len(digits) - places :].rstrip("0")
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def _rounded(value: Fraction) -> str:
    """By integers alone: a float would overflow and lose digits."""
    bits = value.numerator.bit_length() - value.denominator.bit_length()
    exponent = math.floor(bits * math.log10(2))
    size = abs(value) / Fraction(10) ** exponent
    while size >= 10:
        size, exponent = size / 10, exponent + 1
    while size < 1:
        size, exponent = size * 10, exponent - 1
    digits = Fraction(round(size * 10 ** (ROUNDED_DIGITS - 1)), 10 ** (ROUNDED_DIGITS - 1))
    sign = -1 if value < 0 else 1
    if -6 <= exponent < ROUNDED_DIGITS:
        plain = digits * Fraction(10) ** exponent
        return _decimal(sign * plain, ROUNDED_DIGITS + 6)
    return f"{_decimal(sign * digits, ROUNDED_DIGITS - 1)}e{exponent}"
