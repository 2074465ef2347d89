"""Bodies that are no JSON, mean two things, or cannot be kept."""

import gzip
import json
from collections.abc import Callable, Iterator

from tests.integration.hostile.case import MARK, Case, World, asked

MESSAGE = "POST /api/v1/dialogs/{dialog}/messages"
KIB = 1024


def around(value: bytes) -> Callable[[World], bytes]:
    """A good message, but for its text."""
    head = b'{"user_id": "%s", "payload": {"type": "text", "text": '
    return lambda world: head % world.user.encode() + value + b"}}"


def deep(opening: bytes, closing: bytes, depth: int) -> bytes:
    return b'{"user_id": ' + opening * depth + b"1" + closing * depth + b"}"


# Each with the code that it is refused with, all by 400.
NO_JSON: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "invalid_json"),
    "a space": (b" ", "invalid_json"),
    "a word": (MARK.encode(), "invalid_json"),
    "a form": (b"user_id=1&payload=2", "invalid_json"),
    "XML": (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a/>',
            "invalid_json"),
    "YAML": (b"!!python/object/apply:os.system ['id']", "invalid_json"),
    "a pickle": (b"\x80\x04\x95\x0b\x00", "invalid_utf8"),
    "MessagePack": (b"\x81\xa7user_id\x01", "invalid_utf8"),
    "cut off": (b'{"user_id": "', "invalid_json"),
    "two values": (b"{}{}", "invalid_json"),
    "two lines": (b"{}\n{}", "invalid_json"),
    "a comma too many": (b'{"user_id": 1,}', "invalid_json"),
    "a comment": (b'{/* */"user_id": 1}', "invalid_json"),
    "single quotes": (b"{'user_id': 1}", "invalid_json"),
    "bare keys": (b"{user_id: 1}", "invalid_json"),
    "NaN": (b'{"user_id": NaN}', "invalid_json"),
    "Infinity": (b'{"user_id": -Infinity}', "invalid_json"),
    "a leading zero": (b'{"user_id": 01}', "invalid_json"),
    "a plus": (b'{"user_id": +1}', "invalid_json"),
    "hex": (b'{"user_id": 0x10}', "invalid_json"),
    "a bare point": (b'{"user_id": 1.}', "invalid_json"),
    "an escape that there is not": (rb'{"user_id": "\x41"}', "invalid_json"),
    "half an escape": (rb'{"user_id": "\u12"}', "invalid_json"),
    "a line break in a string": (b'{"user_id": "a\nb"}', "invalid_json"),
    "NUL in a string": (b'{"user_id": "a\x00b"}', "invalid_json"),
    "NUL behind it": (b"{}\x00", "invalid_json"),
    "a mark of byte order": (b"\xef\xbb\xbf{}", "invalid_json"),
    "UTF-16": ('{"user_id": 1}'.encode("utf-16"), "invalid_utf8"),
    "UTF-16 without a mark": ('{"user_id": 1}'.encode("utf-16-le"), "invalid_json"),
    "UTF-32": ('{"user_id": 1}'.encode("utf-32"), "invalid_utf8"),
    "UTF-7": (b'{"user_id": +AC0-}', "invalid_json"),
    "Latin-1": (b'{"user_id": "\xe9"}', "invalid_utf8"),
    "an overlong slash": (b'{"user_id": "\xc0\xaf"}', "invalid_utf8"),
    "an overlong NUL": (b'{"user_id": "\xc0\x80"}', "invalid_utf8"),
    "an encoded surrogate": (b'{"user_id": "\xed\xa0\x80"}', "invalid_utf8"),
    "beyond Unicode": (b'{"user_id": "\xf4\x90\x80\x80"}', "invalid_utf8"),
    "packed": (gzip.compress(b"{}"), "invalid_utf8"),
    "a key twice": (b'{"user_id": 1, "user_id": 2}', "duplicate_key"),
    "a key twice, escaped": (rb'{"user_id": 1, "us\u0065r_id": 2}', "duplicate_key"),
    "a key twice, deep": (b'{"payload": {"a": [{"b": 1, "b": 2}]}}', "duplicate_key"),
    "__proto__ twice": (b'{"__proto__": 1, "__proto__": 2}', "duplicate_key"),
}  # fmt: skip

# Each with the pointer of the first fault, all by 422 validation_failed.
NOT_KEPT: dict[str, tuple[bytes, str | None]] = {
    "null": (b"null", ""),
    "a list": (b"[]", ""),
    "a string": (b'"' + MARK.encode() + b'"', ""),
    "a number": (b"1", ""),
    "depth 33": (deep(b"[", b"]", 32), "/user_id" + "/0" * 31),
    "depth 33 of objects": (deep(b'{"a":', b"}", 32), "/user_id" + "/a" * 31),
    "depth 1,000": (deep(b"[", b"]", 1000), None),
    "depth 100,000": (deep(b"[", b"]", 100_000), ""),
    "depth 40,000 of objects": (deep(b'{"a":', b"}", 40_000), ""),
    "21,000 values": (b'{"user_id": [' + b"0," * 21_000 + b"0]}", ""),
    "80,000 lists": (b"[" + b"[]," * 80_000 + b"[]]", ""),
    "1e400": (b'{"user_id": 1e400}', "/user_id"),
    "-1e999999999": (b'{"user_id": -1e999999999}', "/user_id"),
    "beyond 64 bits": (b'{"user_id": 9223372036854775808}', "/user_id"),
    "100,000 digits": (b'{"user_id": ' + b"9" * 100_000 + b"}", "/user_id"),
    "NUL, escaped": (rb'{"user_id": "a\u0000b"}', "/user_id"),
    "NUL in a key": (rb'{"a\u0000b": 1}', "/a\x00b"),
    "a lone surrogate": (rb'{"user_id": "\ud800"}', "/user_id"),
    "surrogates the wrong way round": (rb'{"user_id": "\udc00\ud800"}', "/user_id"),
    "a lone surrogate in a key": (rb'{"\udfff": 1}', "/?"),
    "50,000 unknown keys": (
        json.dumps({f"{MARK[0]}{n}": 1 for n in range(19_000)}).encode(), None),
    "a key of 200 KiB": (b'{"' + b"k" * 200 * KIB + b'": 1}', None),
    "keys of 4 KiB": (
        b"{" + b",".join(b'"%d%s": 1' % (n, b"k" * 4096) for n in range(60)) + b"}", None),
}  # fmt: skip

TEXTS: dict[str, bytes] = {
    "no text": b'""',
    "a text too long": b'"' + b"x" * 4097 + b'"',
    "an emoji too many": ('"' + "😀" * 4097 + '"').encode(),
    "an escape sequence of a terminal": rb'"\u001b[2J\u001b]0;x\u0007"',
    "a bell": rb'"\u0007"',
    "DEL": rb'"\u007f"',
    "a number": b"5",
    "a list": b'["a"]',
    "an object": b'{"$gt": ""}',
    "true": b"true",
}

MEDIA_TYPES = (
    "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data",
    "application/json; charset=utf-16", "application/json; charset=utf-8; charset=utf-16",
    "application/json, text/html", "application/jsonx", "application/vnd.api+json", "json", "*/*",
    "application/json;", "a" * 8000,
)  # fmt: skip


def cases() -> Iterator[Case]:
    for name, (content, code) in NO_JSON.items():
        yield asked(f"body: {name}", MESSAGE, body=content, status=400, code=code)
    for name, (content, pointer) in NOT_KEPT.items():
        yield asked(f"body: {name}", MESSAGE, body=content, pointer=pointer)
    for name, text in TEXTS.items():
        body = around(text)
        yield asked(f"text: {name}", MESSAGE, body=body, pointer="/payload/text")
    for kind in MEDIA_TYPES:
        yield asked(f"media type: {kind[:40]!r}", MESSAGE, body=b"{}", media_type=kind,
                    status=415, code="unsupported_media_type")  # fmt: skip
    for coding in ("gzip", "br", "deflate", "identity, gzip", MARK):
        yield asked(f"packed as {coding}", MESSAGE, body=b"{}", status=415,
                    code="unsupported_media_type",
                    headers=[("Content-Encoding", coding)])  # fmt: skip
    yield asked("no media type", MESSAGE, body=b"{}", media_type=None,
                status=415, code="unsupported_media_type")  # fmt: skip
    yield asked("two media types", MESSAGE, body=b"{}", status=415, code="unsupported_media_type",
                headers=[("Content-Type", "application/json")])  # fmt: skip
    yield asked("a body of 257 KiB", MESSAGE, body=b" " * 257 * KIB, status=413,
                code="body_too_large")  # fmt: skip
    yield asked("registration of 257 KiB", "POST /api/v1/plugins/register", "registry",
                body=b'{"name": "' + b"x" * 257 * KIB + b'"}', status=413,
                code="body_too_large")  # fmt: skip
    for name, request, who in (
        ("users", "POST /api/v1/users", "bot"),
        ("reset", "POST /api/v1/dialogs/{dialog}/reset", "bot"),
        ("heartbeat", "POST /api/v1/plugins/{plugin}/heartbeat", "plugin"),
        ("event", "POST /api/v1/plugins/{plugin}/events", "plugin"),
        ("registration", "POST /api/v1/plugins/register", "registry"),
        ("bots", "POST /api/v1/admin/bots", "admin"),
        ("limits", "PUT /api/v1/admin/limits/bot/{bot}", "admin"),
        ("subscriptions", "POST /api/v1/notifications/subscriptions", "admin"),
        ("routing", "POST /api/v1/routing/explain", "admin"),
    ):
        yield asked(f"{name}: a key twice", request, who, b'{"a": 1, "a": 2}', status=400,
                    code="duplicate_key")  # fmt: skip
        yield asked(f"{name}: not UTF-8", request, who, b'{"a": "\xff"}', status=400,
                    code="invalid_utf8")  # fmt: skip
        yield asked(f"{name}: NUL", request, who, rb'{"a": "\u0000"}', pointer="/a")
