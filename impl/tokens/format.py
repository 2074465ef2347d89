"""What a token looks like: `bc_<kind>_<id>_<secret>_<checksum>`.

The id is public and finds the row; the secret is 256 bits; the checksum lets a typing error, or a
scanner that looks for leaked tokens, be told apart without a database.
"""

import re
import secrets
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast
from zlib import crc32

Kind: TypeAlias = Literal["bot", "plugin", "admin", "registry"]

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH = 16
SECRET_BITS = 256
SECRET_LENGTH = 43  # 62**43 is just above 2**256
CHECKSUM_LENGTH = 6  # 62**6 is above 2**32

# Fixed widths and no repetition inside another: matching is one pass, whatever is sent.
_TOKEN = re.compile(
    rf"(?P<checked>bc_(?P<kind>bot|plugin|admin|registry)_(?P<id>[0-9A-Za-z]{{{ID_LENGTH}}})"
    rf"_[0-9A-Za-z]{{{SECRET_LENGTH}}}_)(?P<checksum>[0-9A-Za-z]{{{CHECKSUM_LENGTH}}})"
)


@dataclass(frozen=True, slots=True)
class NewToken:
    id: str
    plaintext: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ParsedToken:
    """Well formed, and nothing more: only the database knows whether it is good."""

    kind: Kind
    id: str


def mint(kind: Kind) -> NewToken:
    token_id = "".join(secrets.choice(BASE62) for _ in range(ID_LENGTH))
    secret = _base62(secrets.randbits(SECRET_BITS), SECRET_LENGTH)
    checked = f"bc_{kind}_{token_id}_{secret}_"
    return NewToken(token_id, checked + _checksum(checked))


def parse(text: str) -> ParsedToken | None:
    match = _TOKEN.fullmatch(text)
    if match is None or match["checksum"] != _checksum(match["checked"]):
        return None
    return ParsedToken(cast("Kind", match["kind"]), match["id"])


def _checksum(checked: str) -> str:
    return _base62(crc32(checked.encode("ascii")), CHECKSUM_LENGTH)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(BASE62[digit])
    return "".join(reversed(digits))
