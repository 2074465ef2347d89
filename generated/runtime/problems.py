# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Errors as RFC 9457 problems."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal

import orjson

MAX_ERRORS = 50
MAX_POINTER = 1024
MAX_PART = 128  # of a pointer: a key of the input is named, and not sent back whole
MAX_MESSAGE = 512
MAX_DETAIL = 1024

Location = Literal["body", "path", "query", "header"]


@dataclass(frozen=True, slots=True)
class InvalidValue:
    """One refused value: where it stands, and what is wrong with it (never the value itself)."""

    location: Location
    pointer: str
    code: str
    message: str


class ProblemError(Exception):
    """An error that the contract declares; a subclass for each code is in `generated/errors.py`."""

    code: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]
    default_detail: ClassVar[str]

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[InvalidValue] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.default_detail)
        self.detail = detail or self.default_detail
        self.errors = errors
        self.headers = dict(headers or {})

    def body(self, trace_id: str) -> bytes:
        return orjson.dumps(
            {
                "type": f"urn:botcore:problem:{self.code}",
                "title": self.title,
                "status": self.status,
                "detail": self.detail[:MAX_DETAIL],
                "code": self.code,
                "trace_id": trace_id,
                "errors": [asdict(error) for error in self.errors[:MAX_ERRORS]],
            }
        )


def pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901) that is always valid UTF-8 and within its cap."""
    escaped = (_cut(str(part)).replace("~", "~0").replace("/", "~1") for part in parts)
    whole = "".join(f"/{part}" for part in escaped)
    return whole.encode("utf-8", "replace").decode()[:MAX_POINTER]


def _cut(part: str) -> str:
    return part if len(part) <= MAX_PART else part[:MAX_PART] + "…"
