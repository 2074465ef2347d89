"""What a person types, as the contract's values; what it refuses ends the command with one line."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar

from impl.cli.environment import refuse

T = TypeVar("T")

SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]{1,10})([smhd]?)")


def seconds_of(text: str | None, option: str) -> int | None:
    """`90d`, `12h`, `30m` or `45s`; a bare number is seconds."""
    if text is None:
        return None
    match = _DURATION.fullmatch(text)
    if match is None:
        refuse(f"{option}: give a number of seconds, or one with s, m, h or d, such as 90d")
    return int(match[1]) * SECONDS[match[2]]


def lifetime(text: str | None) -> timedelta | None:
    """What `--expires-in` says, within the contract's bounds."""
    from generated import models

    number = seconds_of(text, "--expires-in")
    if number is None:
        return None
    return timedelta(seconds=check(models.ExpiresInSeconds, number, "--expires-in"))


def overlap_of(text: str | None) -> timedelta:
    """What `--overlap` says; without, the contract's default."""
    from generated import models

    number = seconds_of(text, "--overlap")
    if number is None:
        number = models.TokenRotateV1().overlap_seconds
    return timedelta(seconds=check(models.OverlapSeconds, number, "--overlap"))


def check(contract: Any, value: T, option: str) -> T:
    """`value` where the contract's type takes it."""
    from pydantic import TypeAdapter, ValidationError

    try:
        checked: T = TypeAdapter(contract).validate_python(value, strict=True)
    except ValidationError as error:
        messages = [_said(each) for each in error.errors(include_url=False, include_input=False)]
        refuse("; ".join(f"{option}: {text}" for text in dict.fromkeys(messages)))
    return checked


def _said(error: Mapping[str, Any]) -> str:
    if error["type"] == "string_pattern_mismatch":
        return "Characters that cannot be printed are refused"  # the pattern itself says little
    return str(error["msg"])
