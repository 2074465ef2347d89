"""The request's trace: one UUID in every log line, event and answer."""

import re
from contextvars import ContextVar

from generated.runtime.ids import random_id

_UUID = re.compile(rb"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)

_NONE: frozenset[bytes] = frozenset()
_current: ContextVar[str | None] = ContextVar("trace_id", default=None)


def current() -> str | None:
    """The trace of the work at hand; None outside of any."""
    return _current.get()


def require() -> str:
    """The trace of the request at hand. Raises RuntimeError outside of one."""
    trace_id = _current.get()
    if trace_id is None:
        raise RuntimeError("no request is being served here")
    return trace_id


def enter(trace_id: str) -> None:
    _current.set(trace_id)


def from_headers(
    headers: dict[bytes, bytes], repeated: frozenset[bytes] = _NONE
) -> tuple[str, bool]:
    """The trace id, and whether the caller named it by `X-Trace-Id`. One of several means none."""
    if b"x-trace-id" not in headers and b"traceparent" not in headers:
        return random_id(), False
    given = _only(b"x-trace-id", headers, repeated)
    if _UUID.fullmatch(given):
        return given.decode().lower(), True
    parent = _TRACEPARENT.fullmatch(_only(b"traceparent", headers, repeated))
    if parent:
        digits = parent[1].decode()
        whole = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        return "-".join(whole), False
    return random_id(), False


def _only(name: bytes, headers: dict[bytes, bytes], repeated: frozenset[bytes]) -> bytes:
    return b"" if name in repeated else headers.get(name, b"")
