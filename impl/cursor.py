"""Where the next page of a list begins: opaque to the caller, good for one list only.

A cursor holds its position and a code that authenticates it together with the list's name, owner
and filters. One that is forged, cut, of another list, of another owner or of other filters is
refused. Every instance has the same secret, so any of them takes another's cursor.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from generated.errors import ValidationFailed
from generated.runtime.problems import InvalidValue

CODE_BYTES = 16
Row = TypeVar("Row", bound=Mapping[str, Any])


@dataclass(frozen=True, slots=True)
class ListCursors:
    """The cursors of one list, as one caller sees it."""

    _key: bytes = field(repr=False)

    def write(self, *position: object) -> str:
        """`position` are the values by which the list is ordered, of its page's last row."""
        content = orjson.dumps(position, default=str)  # asyncpg has a UUID of its own
        return base64.urlsafe_b64encode(self._code(content) + content).decode().rstrip("=")

    def read(self, cursor: str) -> list[Any]:
        """The position, as JSON keeps it (ids and times are text). Raises ValidationFailed."""
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (binascii.Error, ValueError):
            raw = b""
        code, content = raw[:CODE_BYTES], raw[CODE_BYTES:]
        if not hmac.compare_digest(code, self._code(content)):
            fault = InvalidValue("query", "/cursor", "cursor_invalid", "No cursor of this list")
            raise ValidationFailed(errors=[fault])
        position: list[Any] = orjson.loads(content)
        return position

    def page(self, rows: list[Row], limit: int, *columns: str) -> tuple[list[Row], str | None]:
        """The first `limit` of `rows`, and the cursor of the next page where there are more.

        So read one more than asked for. `columns` are those that `rows` are ordered by.
        """
        if len(rows) <= limit:
            return rows, None
        page = rows[:limit]
        return page, self.write(*(page[-1][column] for column in columns))

    def _code(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, hashlib.sha256)[:CODE_BYTES]


@dataclass(frozen=True, slots=True)
class Cursors:
    secret: str = field(repr=False)

    def of(self, name: str, *bound: object) -> ListCursors:
        """`bound` is whose list it is, and by what it is filtered; not the size of its pages."""
        context = b"cursor:" + orjson.dumps([name, bound], default=str)
        return ListCursors(hmac.digest(self.secret.encode(), context, hashlib.sha256))
