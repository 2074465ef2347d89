"""What libraries raise, as the contract's problems; and what is told of it to the log."""

from datetime import UTC, datetime
from logging import INFO

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

    An answer's line goes by the level and to the place of all others, and is made here in one step:
    each request has one, and in names of the contract, numbers and an id there is nothing to mask.
    """

    def __init__(self) -> None:
        told = structlog.get_logger().bind().is_enabled_for(INFO)
        logger = structlog.get_config()["logger_factory"]()
        tell = logger.later if isinstance(logger, Lines) else logger.info
        self._tell = tell if told else None

    def answered(self, operation: str, status: int, code: str | None, seconds: float) -> None:
        if self._tell is None:
            return
        line = {
            "operation": operation,
            "status": status,
            "code": code,
            "ms": round(seconds * 1000, 2),
            "event": "answered",
            "level": "info",
            "timestamp": datetime.now(UTC),
            "trace_id": trace.current(),
        }
        self._tell(orjson.dumps(line, option=orjson.OPT_UTC_Z))

    def failed(self, operation: str, error: Exception) -> None:
        log.error("failed", operation=operation, error=type(error).__name__, exc_info=error)
