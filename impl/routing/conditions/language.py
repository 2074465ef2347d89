"""The language: CEL, by the library of its own authors, without what could grow or hold up.

There is no `eval` in it and no way out: four variables, no functions of ours. Left out are `+`,
`map`, `filter`, `exists_one` (values that grow) and `matches` (patterns of any cost, compiled each
time: they belong into a `regex` intent). docs/decisions/0015-routing.md has the measurements.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from impl.routing.conditions.bounds import (
    EVALUATION,
    MAX_COST,
    NestedLoopError,
    UnknownMemberError,
    cost,
)
from impl.routing.conditions.syntax import tree

if TYPE_CHECKING:
    from cel_expr_python import cel

VARIABLES = ("payload", "metadata", "locale", "dialog")
SMALLER = """
name: botcore
stdlib:
  exclude_macros: [map, filter, exists_one]
  exclude_functions:
    - name: _+_
    - name: matches
"""
PLACE = re.compile(r"<input>:(\d+):(\d+): ([^\n]*)")
# What the library says, and what we say: its words repeat the expression.
WORDS = {
    "Syntax error": "Not an expression of CEL",
    "undeclared reference": "Unknown here: there are payload, metadata, locale, dialog and what CEL"
    " has, but matches, map, filter, exists_one and +",
    "found no matching overload": "No operator or function takes values of these types",
    "recursion": "It is nested too deeply",
    "Invalid string literal": "A string with a character or an escape that is none",
}


class ConditionError(ValueError):
    """`code` is for programs; the message says what is wrong, and where."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Facts:
    """What an expression sees of one message, converted once for all of them."""

    activation: Any

    @classmethod
    def of(cls, values: Mapping[str, object]) -> "Facts":
        """`values` are of the VARIABLES, in JSON's types."""
        return cls(_environment().Activation(dict(values)))


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled expression. `cost` is what it may take, in microseconds."""

    program: "cel.Expression"
    cost: int

    def holds(self, facts: Facts) -> bool:
        """False too where it fails, as on a missing member, and where its value is no bool."""
        try:
            found = self.program.eval(facts.activation)
            # Of a null 0.1.3 gives a None that it does not own: before Python 3.12 enough of them
            # end the process. So no value is read but a bool's.
            return found.type().name() == "BOOL" and found.value() is True
        except Exception:  # noqa: BLE001  # the library's own; none may end a message
            return False


@lru_cache(maxsize=2048)
def compile_condition(expression: str) -> Condition:
    """Raises ConditionError."""
    try:
        program = _environment().compile(expression)
    except Exception as error:  # noqa: BLE001  # RuntimeError for all that is wrong, and others
        raise ConditionError("condition_invalid", _told(str(error))) from None
    if program.return_type().name() not in {"BOOL", "DYN"}:
        raise ConditionError("condition_invalid", "Its value is never true or false")
    try:
        found = EVALUATION + cost(tree(program.serialize()))
    except NestedLoopError:
        raise ConditionError("condition_too_costly", "A loop within a loop") from None
    except UnknownMemberError:
        raise ConditionError("condition_invalid", "payload or dialog has no such member") from None
    if found > MAX_COST:
        raise ConditionError("condition_too_costly", "It may take too long: make it simpler")
    return Condition(program, found)


@cache
def _environment() -> "cel.Env":
    from cel_expr_python import cel  # noqa: PLC0415  # 10 MiB, for catalogues that need it

    variables = dict.fromkeys(VARIABLES, cel.Type.DYN)
    return cel.NewEnv(config=cel.NewEnvConfigFromYaml(SMALLER), variables=variables)


def _told(error: str) -> str:
    place = PLACE.search(error)
    line, column, said = place.groups() if place else ("", "", error)
    words = next((ours for theirs, ours in WORDS.items() if theirs in said), "Not taken by CEL")
    return f"Line {line}, column {column}: {words}" if line else words
