"""What is read of a request, and refused where it cannot be."""

import json
import re
from typing import Any, NoReturn
from uuid import uuid4

from aiohttp import web

from .problems import Json, Problem, fault, refuse

SCHEMA_VERSION = "v1alpha"
MAX_BODY_BYTES = 4 * 1024 * 1024  # a hundred messages of the longest text, with their files

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-\w{2}")
MEDIA_TYPE = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE)


def trace_of(request: web.Request) -> str:
    given = request.headers.get("X-Trace-Id", "")
    if UUID.fullmatch(given):
        return given.lower()
    parent = TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
    if parent is None:
        return str(uuid4())
    digits = parent[1]
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def check_version(request: web.Request) -> None:
    if request.headers.getall("X-Schema-Version", [SCHEMA_VERSION]) != [SCHEMA_VERSION]:
        raise Problem("unsupported_schema_version", f"This plugin serves {SCHEMA_VERSION}.")


def accepts_json(request: web.Request) -> bool:
    accept = ",".join(request.headers.getall("Accept", []))
    ranks = {"*/*": 1, "application/*": 2, "application/json": 3}
    best, quality = 0, 0.0
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if ranks.get(name, 0) > best:
            best = ranks[name]
            given = [text[2:] for text in parameters if text.startswith("q=")]
            quality = float(given[0]) if given and re.fullmatch(r"[01](\.\d*)?", given[0]) else 1.0
    return quality > 0 or not accept.strip()


async def read(request: web.Request) -> bytes:
    """The body as it came. Raises Problem."""
    if not MEDIA_TYPE.fullmatch(request.headers.get("Content-Type", "")):
        raise Problem("unsupported_media_type", "Send the body as application/json in UTF-8.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem("unsupported_media_type", "Send the body without Content-Encoding.")
    content = bytearray()
    if (request.content_length or 0) <= MAX_BODY_BYTES:
        async for chunk in request.content.iter_chunked(65536):
            content += chunk
            if len(content) > MAX_BODY_BYTES:
                break
    if max(request.content_length or 0, len(content)) > MAX_BODY_BYTES:
        raise Problem("body_too_large", f"The body exceeds {MAX_BODY_BYTES} bytes.")
    return bytes(content)


def parsed(content: bytes) -> Any:
    """Raises Problem for what is no strict JSON."""
    try:
        value = json.loads(content.decode(), object_pairs_hook=_unique, parse_constant=_not_json)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # 1e999, lone surrogates
    except UnicodeDecodeError:
        raise Problem("invalid_utf8", "The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem("invalid_json", f"The body is not JSON at {where}.") from None
    except (ValueError, RecursionError):
        refuse(fault("body", "", "invalid", "A value in it cannot be kept"))
    return value


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    if len(dict(pairs)) != len(pairs):
        raise Problem("duplicate_key", "An object names a key twice.")
    return dict(pairs)


def _not_json(_name: str) -> NoReturn:
    raise Problem("invalid_json", "NaN and Infinity are not JSON.")


def deadline(request: web.Request, body: Json) -> float:
    """In seconds: what the attempt has left, where the core says so."""
    given = request.headers.get("X-Deadline-Ms", "")
    left = int(given) if re.fullmatch(r"[0-9]{1,9}", given) else body["deadline_ms"]
    return float(min(left, body["deadline_ms"])) / 1000
