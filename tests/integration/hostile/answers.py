"""What a plugin may send in place of an answer, and what the bot is told of it."""

import gzip
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.faults.raw import Call, answer, said
from tests.integration.hostile.case import MARK

Sent = Callable[[Call], bytes]
CAP = 64 * 1024  # of an answer, here
FILE = {"id": str(uuid4()), "type": "image/png", "url": "http://a.example/b"}


def fixed(sent: bytes) -> Sent:
    return lambda _call: sent


def body(content: bytes) -> Sent:
    return fixed(answer(content))


def with_text(text: bytes) -> Sent:
    """JSON that would be good, but for its text."""
    return lambda call: answer(
        b'{"trace_id": "%s", "text": %s}' % (str(call.body["trace_id"]).encode(), text)
    )


def saying(**members: Any) -> Sent:
    return lambda call: answer(said(call, **members))


def headed(*headers: str, status: str = "200 OK") -> Sent:
    return lambda call: answer(said(call, MARK), status, *headers)


def packed(coding: str, content: bytes) -> Sent:
    return fixed(answer(content, "200 OK", f"Content-Encoding: {coding}"))


INVALID: dict[str, Sent] = {
    "nothing": body(b""),
    "a page": body(f"<html>{MARK}".encode()),
    "cut off": with_text(b'"x'),
    "NaN": with_text(b"NaN"),
    "1e400": with_text(b"1e400"),
    "a number": with_text(b"5"),
    "null": with_text(b"null"),
    "no text": with_text(b'""'),
    "NUL": with_text(rb'"a\u0000b"'),
    "a lone surrogate": with_text(rb'"\ud800"'),
    "an escape sequence": with_text(rb'"\u001b[2J"'),
    "not UTF-8": with_text(b'"\xff"'),
    "an overlong slash": with_text(b'"\xc0\xaf"'),
    "a text of 5,000": with_text(b'"' + b"x" * 5000 + b'"'),
    "two values": lambda call: answer(said(call) + b"{}"),
    "a mark of byte order": lambda call: answer(b"\xef\xbb\xbf" + said(call)),
    "UTF-16": lambda call: answer(said(call).decode().encode("utf-16")),
    "a list": body(b"[]"),
    "a string": body(json.dumps(MARK).encode()),
    "depth 1,000": body(b"[" * 1000 + b"]" * 1000),
    "21,000 values": body(b"[" + b"0," * 21_000 + b"0]"),
    "a key twice": lambda call: answer(said(call)[:-1] + b', "text": "other"}'),
    "no trace": body(b'{"text": "x"}'),
    "another's trace": saying(trace_id=str(uuid4())),
    "an unknown member": saying(role="system"),
    "__proto__": saying(__proto__={"a": 1}),
    "an unknown type": saying(content_type="application/x-sh"),
    "eleven actions": saying(suggested_actions=[{"label": "a", "value": "b"}] * 11),
    "an action of two lines": saying(suggested_actions=[{"label": "a\nb", "value": "b"}]),
    "a script": saying(attachments=[FILE | {"url": "javascript:alert(1)"}]),
    "a file of the disk": saying(attachments=[FILE | {"url": "file:///etc/passwd"}]),
    "confidence 2": saying(confidence=2),
    "confidence in quotes": saying(confidence="1"),
    "negative tokens": saying(usage={"provider": "a", "model": "b", "prompt_tokens": -1,
                                     "completion_tokens": 1, "total_tokens": 0}),
    "an unknown packing": packed("zstd", b"(\xb5/\xfd"),
    "a broken packing": packed("gzip", b"\x1f\x8b" + b"\x00" * 50),
    "half of a packing": packed("gzip", gzip.compress(b"{}" * 500)[:-12]),
    "a packing and more": packed("gzip", gzip.compress(b"{}") + MARK.encode()),
    "no HTTP": fixed(b"SSH-2.0-OpenSSH_9.6\r\n" + MARK.encode() + b"\r\n\r\n"),
    "a status that is none": fixed(b"HTTP/1.1 abc OK\r\n\r\n"),
    "a field of 100 KB": headed("X-A: " + "a" * 100_000),
    "a field with NUL": headed(f"X-A: {MARK}\x00"),
    "two lengths": lambda call: answer(said(call), "200 OK", "Content-Length: 3"),
    "a chunk that is none": fixed(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"zz\r\n{}\r\n"
    ),
    "a body where there is none": headed(status="204 No Content"),
    "a negative length": lambda call: answer(said(call), length=-5),
}  # fmt: skip
TOO_LARGE: dict[str, Sent] = {
    "a length of 1 GB": lambda call: answer(said(call), length=10**9),
    "more than the cap": body(b'{"text": "' + b"x" * CAP + b'"}'),
    "a bomb": packed("gzip", gzip.compress(b" " * 30_000_000)),
}
REJECTED: dict[str, Sent] = {
    f"status {status}": headed("Location: http://169.254.169.254/", status=status)
    for status in ("201 Created", "206 Partial Content", "301 Moved",
                   "302 Found", "307 Temporary Redirect", "308 Permanent Redirect", "401 No",
                   "403 No", "404 No", "418 Teapot", "500 Error")
}  # fmt: skip
UNAVAILABLE: dict[str, Sent] = {
    "nothing at all": fixed(b""),
    "half a head": fixed(b"HTTP/1.1 200 OK\r\nContent-"),
    "less than it says": lambda call: answer(said(call), length=len(said(call)) + 5),
    "status 503": headed(status="503 Busy"),
}
ANSWERS: dict[str, tuple[Sent, str]] = {
    f"{code}: {about}": (sent, code)
    for code, table in (
        ("plugin_answer_invalid", INVALID),
        ("plugin_answer_too_large", TOO_LARGE),
        ("plugin_rejected", REJECTED),
        ("plugin_unavailable", UNAVAILABLE),
    )
    for about, sent in table.items()
}
