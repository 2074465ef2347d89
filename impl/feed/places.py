"""A place in the feed as a text: opaque, and made by this deployment alone.

It is of no reader and of no filter, so that one text serves all who are told the event.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field

CODE_BYTES = 8
POSITION_BYTES = 8


class NoPlaceError(ValueError):
    """It was not written here."""


@dataclass(frozen=True, slots=True)
class Places:
    secret: str = field(repr=False)

    def write(self, position: int) -> str:
        content = position.to_bytes(POSITION_BYTES, "big")
        return base64.urlsafe_b64encode(self._code(content) + content).decode().rstrip("=")

    def read(self, place: str) -> int:
        """Raises NoPlaceError."""
        try:
            raw = base64.urlsafe_b64decode(place + "=" * (-len(place) % 4))
        except (binascii.Error, ValueError):
            raw = b""
        code, content = raw[:CODE_BYTES], raw[CODE_BYTES:]
        if len(content) != POSITION_BYTES or not hmac.compare_digest(code, self._code(content)):
            raise NoPlaceError
        return int.from_bytes(content, "big")

    def _code(self, content: bytes) -> bytes:
        key = b"feed:" + self.secret.encode()
        return hmac.digest(key, content, hashlib.sha256)[:CODE_BYTES]
