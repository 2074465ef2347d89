"""Whose an object is: nothing of another's is ever sent."""

from typing import TypeVar
from uuid import UUID

from generated.runtime.problems import ProblemError
from generated.runtime.results import Result

Answer = TypeVar("Answer", bound=Result)


class ForeignObjectError(Exception):
    """A handler found another's object: our mistake, and so a 500."""


def require_self(caller: UUID, named: UUID, absent: type[ProblemError]) -> None:
    """The path must name the caller itself. Raises `absent`."""
    if caller != named:
        raise absent


def owned(answer: Answer, caller: UUID) -> Answer:
    """The second lock on ownership; the first is the WHERE of each statement."""
    if answer.status < 300 and getattr(answer, "owner", None) != caller:
        raise ForeignObjectError(f"{type(answer).__name__} belongs to another")
    return answer
