"""JSON lines on standard output, each with the trace id of the work that wrote it.

Whatever looks like a secret is masked in each line, a library's own lines included.
"""

import logging
import re
import sys
import traceback
from types import TracebackType
from typing import Any

import orjson
import structlog

from generated.runtime import trace
from impl.lines import Lines
from impl.secrecy.text import scrubbed

# What JSON may hold as it is, and yet a terminal obeys or a reader does not see: DEL, C1 controls,
# separators of lines, and what turns the direction of text. As UTF-8; in JSON only strings have it.
_UNSEEN = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]")
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(level: str, **always: object) -> None:
    """For the whole process, the libraries' own log lines included; each line has `always`."""

    def add_always(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        return always | event

    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
        add_always,
        structlog.processors.format_exc_info,
    ]
    lines = Lines(sys.stdout.buffer, always)
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_dumped),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    sys.excepthook = _log_death


def described(error: BaseException) -> dict[str, str]:
    """A mistake of ours, what and where; not its own words, which may repeat a message or a key."""
    where = "".join(traceback.format_tb(error.__traceback__))
    return {"error": type(error).__name__, "traceback": where}


def _add_trace(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    event.setdefault("trace_id", trace.current())
    return event


def _dumps(event: Any, **_options: object) -> bytes:
    return _UNSEEN.sub(_escaped, scrubbed(orjson.dumps(event, default=str)))


def _dumped(event: Any, **_options: object) -> str:
    return _dumps(event).decode()


def _log_death(
    kind: type[BaseException], error: BaseException, where: TracebackType | None
) -> None:
    """In place of a traceback on standard error, which nothing would mask."""
    structlog.get_logger().critical("process_died", exc_info=(kind, error, where))


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"".join(b"\\u%04x" % ord(character) for character in found[0].decode())
