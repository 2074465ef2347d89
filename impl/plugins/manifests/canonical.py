"""One way of writing a JSON value, of which a manifest's hash is made.

It follows RFC 8785: UTF-8, no white space, members sorted, a whole number without a fraction. It
differs in two corners that a manifest has no use for: members are sorted by code point, not by
UTF-16 unit, and a very small or large number is written as Python writes it.
"""

import hashlib
from typing import Any

import orjson

EXACT = 2**53  # beyond it a double no longer tells which integer was written


def canonical(value: object) -> bytes:
    return orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS)


def manifest_hash(manifest: dict[str, Any]) -> str:
    """SHA-256, in hexadecimal, of the manifest's canonical JSON, as the plugin sent it."""
    return hashlib.sha256(canonical(manifest)).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        return int(value)
    return value
