"""What libraries raise, as the contract's problems; and what is told of it to the log."""

from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson
import structlog

from generated.errors import DatabaseUnavailable, Overloaded, ValidationFailed
from generated.runtime import trace
from generated.runtime.problems import InvalidValue, ProblemError
from impl.db import UNAVAILABLE
from impl.tokens.verifier import VerifierOverloaded

log = structlog.get_logger()


def translate(error: Exception) -> ProblemError | None:
    """The declared problem that `error` means; None where it is a mistake of ours."""
    if isinstance(error, asyncpg.CheckViolationError):
        return _too_large(error)
    if isinstance(error, VerifierOverloaded):
        return Overloaded()
    # asyncpg's own complaint about an argument is an InterfaceError too, and a mistake of ours.
    if isinstance(error, UNAVAILABLE) and not isinstance(error, ValueError):
        log.warning("database_unavailable", reason=type(error).__name__)
        return DatabaseUnavailable()
    return None


def _too_large(error: asyncpg.CheckViolationError) -> ProblemError | None:
    """`ck_<table>_<column>_size`: a value that only grows beyond 64 KB as jsonb writes it."""
    name = error.constraint_name or ""
    if not name.endswith("_size"):
        return None
    fault = InvalidValue("body", "", "too_large", "A value exceeds 64 KB as it is stored")
    return ValidationFailed("A value exceeds 64 KB as it is stored.", errors=[fault])


def _line(_logger: object, _method: str, answer: MutableMapping[str, Any]) -> bytes:
    """In one step: of the contract's names, numbers and an id there is nothing to mask."""
    answer.update(level="info", timestamp=datetime.now(UTC), trace_id=trace.current())
    return orjson.dumps(answer, option=orjson.OPT_UTC_Z)


class LogObserver:
    """One line for each answer; one with the traceback for each mistake."""

    def __init__(self) -> None:
        # By the level and to the place of all others; bound once, for each request has a line.
        self._answers = structlog.wrap_logger(None, processors=[_line]).bind()

    def answered(self, operation: str, status: int, code: str | None, seconds: float) -> None:
        milliseconds = round(seconds * 1000, 2)
        self._answers.info(
            "answered", operation=operation, status=status, code=code, ms=milliseconds
        )

    def failed(self, operation: str, error: Exception) -> None:
        log.error("failed", operation=operation, error=type(error).__name__, exc_info=error)
