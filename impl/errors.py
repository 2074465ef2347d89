"""What libraries raise, as the contract's problems; and what is told of it to the log."""

from datetime import UTC, datetime
from logging import INFO
from typing import Any

import asyncpg
import orjson
import structlog

from generated.errors import DatabaseUnavailable, Overloaded, ValidationFailed
from generated.runtime import trace
from generated.runtime.problems import InvalidValue, ProblemError
from impl.db import UNAVAILABLE
from impl.lines import Lines
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


class LogObserver:
    """One line for each answer; one with the traceback for each mistake.

    Each request has one of an answer. Where our own logger takes it, it is made in one step: in
    names of the contract, numbers and an id there is nothing to mask.
    """

    def __init__(self) -> None:
        told = structlog.get_logger().bind().is_enabled_for(INFO)
        logger = structlog.get_config()["logger_factory"]()
        self._lines = logger if told and isinstance(logger, Lines) else None

    def answered(self, operation: str, status: int, code: str | None, seconds: float) -> None:
        answer: dict[str, Any] = {
            "operation": operation,
            "status": status,
            "code": code,
            "ms": round(seconds * 1000, 2),
        }
        if self._lines is None:
            log.info("answered", **answer)
            return
        now = datetime.now(UTC)
        answer.update(event="answered", level="info", timestamp=now, trace_id=trace.current())
        answer.update(self._lines.always)
        self._lines.later(orjson.dumps(answer, option=orjson.OPT_UTC_Z))

    def failed(self, operation: str, error: Exception) -> None:
        log.error("failed", operation=operation, error=type(error).__name__, exc_info=error)
