"""The checks, by their names. A name before a dot is a group, which --only takes as well."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from impl.kit.plugin import Plugin


@dataclass(frozen=True)
class Check:
    """`run` raises FailedError or NotTriedError; else the check is passed."""

    name: str
    about: str
    run: Callable[[Plugin], Awaitable[None]]
