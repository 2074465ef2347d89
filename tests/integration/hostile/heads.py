"""Requests whose head, framing, path, query or header values are hostile."""

from collections.abc import Callable, Iterator
from uuid import uuid4

from tests.integration.hostile.case import MARK, Case, World, asked, raw, written

MESSAGES = "/api/v1/dialogs/{dialog}/messages"
GET_DIALOG = "GET /api/v1/dialogs/"
NIL = "00000000-0000-0000-0000-000000000000"


def posting(world: World, *lines: str, body: bytes = b"") -> bytes:
    """A message's head with these lines, and whatever follows it."""
    path = f"/api/v1/dialogs/{world.dialog}/messages"
    head = [f"POST {path} HTTP/1.1", "Host: a", "Connection: close", *lines,
            f"X-Bot-Token: {world.bot_token}", "Content-Type: application/json"]  # fmt: skip
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def framing() -> Iterator[Case]:
    """What two servers in a row would read as other requests, or what is no HTTP."""
    for name, lines, body in (
        ("two lengths", ("Content-Length: 2", "Content-Length: 3"), b"{} "),
        ("a length and chunks", ("Content-Length: 5", "Transfer-Encoding: chunked"), b"0\r\n\r\n"),
        ("a negative length", ("Content-Length: -1",), b""),
        ("a length with a plus", ("Content-Length: +2",), b"{}"),
        ("a length in hex", ("Content-Length: 0x2",), b"{}"),
        ("a list of lengths", ("Content-Length: 2, 2",), b"{}"),
        ("an endless length", ("Content-Length: " + "9" * 40,), b"{}"),
        ("a chunk without a size", ("Transfer-Encoding: chunked",), b"z\r\n{}\r\n0\r\n\r\n"),
        ("a negative chunk", ("Transfer-Encoding: chunked",), b"-2\r\n{}\r\n0\r\n\r\n"),
        ("an endless chunk", ("Transfer-Encoding: chunked",), b"f" * 20 + b"\r\n{}\r\n0\r\n\r\n"),
        ("a chunk that goes on", ("Transfer-Encoding: chunked",), b"2\r\n{}x\r\n0\r\n\r\n"),
        ("chunks twice", ("Transfer-Encoding: chunked, chunked",), b"0\r\n\r\n"),
        ("a header without a colon", (MARK,), b""),
        ("a space before the colon", ("X-A : b",), b""),
        ("a header without a name", (": b",), b""),
        ("NUL in a header", (f"X-A: {MARK}\x00",), b""),
        ("a bare CR in a header", ("X-A: a\rX-B: b",), b""),
    ):  # fmt: skip
        yield raw(f"framing: {name}", _of(lines, body), 400)
    lines = ("Transfer-Encoding: gzip, chunked",)
    yield raw("framing: an unknown coding", _of(lines, b"0\r\n\r\n"), 415, "unsupported_media_type")


def _of(lines: tuple[str, ...], body: bytes) -> Callable[[World], bytes]:
    return lambda world: posting(world, *lines, body=body)


def lines() -> Iterator[Case]:
    for name, sent in (
        ("no HTTP", MARK.encode() + b"\r\n\r\n"),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("a version that there is not", b"GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n"),
        ("a method that is none", b"G\x00T /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("a space in the target", b"GET /health z HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("a target that is none", b"GET healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    ):
        yield raw(f"line: {name}", _fixed(sent), 400)
    for method in ("TRACE", "CONNECT", "OPTIONS", "PROPFIND", "PUT"):
        yield asked(f"method {method}", f"{method} {MESSAGES}", status=405,
                    code="method_not_allowed")  # fmt: skip
    big = [("X-A", "a" * 40_000)]
    yield raw("a field of 40 KB", _fixed(written("GET", "/healthz", big, None)), 431)
    many = [(f"X-{n}", MARK) for n in range(5000)]
    yield raw("5,000 fields", _fixed(written("GET", "/healthz", many, None)), 431)
    yield raw("a target of 40 KB", _fixed(written("GET", "/" + "a" * 40_000, [], None)), 431)


def _fixed(sent: bytes) -> Callable[[World], bytes]:
    return lambda _world: sent


IDS = {
    "no UUID": MARK,
    "a number": "1",
    "braces": "{%s}" % NIL,  # noqa: UP031  # the text has braces of its own
    "a URN": f"urn:uuid:{NIL}",
    "without hyphens": "0" * 32,
    "a digit too many": f"{NIL}0",
    "no hex": "g" * 8 + NIL[8:],
    "other digits": "%EF%BC%90" * 8 + NIL[8:],
    "NUL": f"{NIL}%00",
    "a line break": f"{NIL}%0d%0aX-Evil:%20{MARK}",
    "SQL": "'%20OR%201=1%20--",
    "SQL that ends it": f"{NIL}';DROP%20TABLE%20dialogs;--",
    "a template": "%7B%7B7*7%7D%7D",
    "not UTF-8": "%ff%fe",
    "8 KiB": "a" * 8192,
}
GONE = {
    "a step up": "../users",
    "an encoded step": "..%2fusers",
    "an encoded slash": f"{NIL}%2fmessages",
    "a double slash": f"/{NIL}",
    "a slash behind": f"{NIL}/",
    "a semicolon path": f"{NIL}/..;/..;/admin/bots",
}


def paths() -> Iterator[Case]:
    for name, given in IDS.items():
        yield asked(f"dialog id: {name}", GET_DIALOG + given, pointer="/dialog_id")
    for name, given in GONE.items():
        yield asked(f"path: {name}", GET_DIALOG + given, status=404, code="not_found")
    for given in ("%00", "a%20b", "%0d%0a", "..%5c", "a" * 129, "%F0%9F%98%80", "a%3Cscript%3E"):
        yield asked(f"message id: {given[:20]}", f"GET {MESSAGES}/{given}", pointer="/message_id")
    for path in ("/.env", "/.git/config", "/api/v1/../../etc/passwd", "/api/v2/users",
                 "/API/V1/users", "/healthz/", "//healthz", "/healthz%00", "/docs/../../etc/passwd",
                 "/docs/%2e%2e/%2e%2e/etc/passwd", f"/{MARK}", "/metrics/..", "/openapi.json",
                 "/api/v1/plugins/register/..;/"):  # fmt: skip
        yield asked(f"path {path}", f"GET {path}", "nobody", status=404, code="not_found")
    absent = f"GET /api/v1/dialogs/{uuid4()}"
    yield asked("an absent dialog", absent, status=404, code="dialog_not_found")
    token = f"DELETE /api/v1/admin/bots/{{bot}}/tokens/{MARK}%00"
    yield asked("a token's id", token, "admin", pointer="/token_id")
    limit = f"GET /api/v1/admin/limits/{MARK}/{NIL}"
    yield asked("a limit of nobody's kind", limit, "admin", pointer="/subject")


def queries() -> Iterator[Case]:
    for given in ("0", "-1", "101", "1e1", "1_0", "%2B5", "5.0", "%205", "", "true", "0x5",
                  "9" * 30, "%EF%BC%95", "NaN", "5%00"):  # fmt: skip
        yield asked(f"limit={given}", f"{GET_DIALOG}{{dialog}}?limit={given}", pointer="/limit")
    for given in ("", MARK, "a" * 4000, "%00", "../..", "e30", "eyJhIjoxfQ", "%ff%ff", "*" * 64):
        yield asked(f"cursor={given[:20]}", f"{GET_DIALOG}{{dialog}}?cursor={given}",
                    pointer="/cursor")  # fmt: skip
    for query, pointer in (
        (f"{MARK[0]}=1", f"/{MARK[0]}"),
        ("limit=1&limit=2", "/limit"),
        ("limit=1&%6cimit=2", "/limit"),
        ("&".join(f"a{n}=1" for n in range(65)), ""),
        ("limit[]=1", "/limit[]"),
        ("__proto__=1", "/__proto__"),
        ("a%00b=1", "/a\x00b"),
        ("a%0d%0aSet-Cookie:%20b=1", "/a\r\nSet-Cookie: b"),
        ("%ff=1", "/\ufffd"),
        ("a" * 6000 + "=1", None),
    ):
        yield asked(f"query {query[:30]}", f"{GET_DIALOG}{{dialog}}?{query}", pointer=pointer)
    for query, pointer in (
        ("from=yesterday", "/from"),
        ("from=1700000000", "/from"),
        ("from=2026-02-30T00:00:00Z", "/from"),
        ("from=0000-01-01T00:00:00Z", "/from"),
        ("to=9999-12-31T23:59:59.999999999999Z", "/to"),
        ("from=2026-01-01T00:00:00", "/from"),
        ("event_type=' OR '1'='1".replace(" ", "%20"), "/event_type"),
        ("event_type=%2a", "/event_type"),
        ("severity=CRITICAL", "/severity"),
        (f"plugin_id={MARK}", "/plugin_id"),
        ("dialog_id=%00", "/dialog_id"),
    ):
        yield asked(f"events?{query}", f"GET /api/v1/plugins/events?{query}", "admin",
                    pointer=pointer)  # fmt: skip
    for query, pointer in (("action=%25", "/action"), ("source=root", "/source"),
                           ("trace_id=x", "/trace_id")):  # fmt: skip
        yield asked(f"audit?{query}", f"GET /api/v1/admin/audit?{query}", "admin",
                    pointer=pointer)  # fmt: skip
    for given in ("-1", "3601", "1e3", "inf"):
        stream = f"GET /api/v1/plugins/events/stream?max_seconds={given}"
        yield asked(f"max_seconds={given}", stream, "admin", pointer="/max_seconds")  # fmt: skip


def values() -> Iterator[Case]:
    """Of headers that an operation reads."""
    body = {"user_id": NIL, "payload": {"type": "text", "text": "x"}}
    good = f"POST {MESSAGES}"
    for given in (
        "v2",
        "V1ALPHA",
        "v1alpha,v1alpha",
        "",
        "v1alpha;",
        "*",
        MARK,
        "\xe9",
        "a" * 9000,
    ):
        yield asked(f"X-Schema-Version: {given[:20]!r}", good, body=body, status=400,
                    code="unsupported_schema_version",
                    headers=[("X-Schema-Version", given)])  # fmt: skip
    yield asked("X-Schema-Version twice", good, body=body, status=400,
                code="unsupported_schema_version",
                headers=[("X-Schema-Version", "v1alpha")] * 2)  # fmt: skip
    for given in ("text/html", "application/json;q=0", "application/json;q=x", MARK, "*/*;q=0",
                  "application/xml, text/*", ";;;,,,", "a/" * 5000):  # fmt: skip
        yield asked(f"Accept: {given[:30]!r}", good, body=body, status=406, code="not_acceptable",
                    headers=[("Accept", given)])  # fmt: skip
    for given in ("0", "99", "60001", "-1", "1e3", "+100", "100.0", "", "\xb2\xb2\xb2", "9" * 400,
                  "0x64", "100, 100", MARK):  # fmt: skip
        yield asked(f"X-Deadline-Ms: {given[:20]!r}", good, body=body, pointer="/X-Deadline-Ms",
                    headers=[("X-Deadline-Ms", given)])  # fmt: skip
    yield asked("X-Deadline-Ms twice", good, body=body, pointer="/X-Deadline-Ms",
                headers=[("X-Deadline-Ms", "100"), ("X-Deadline-Ms", "200")])  # fmt: skip
    for given in ("", "-", "1", "0", f"{MARK}", "9" * 40, "1:2:3", "'--"):
        yield asked(f"Last-Event-ID: {given[:20]!r}",
                    "GET /api/v1/plugins/events/stream?max_seconds=0", "admin",
                    pointer="/Last-Event-ID", headers=[("Last-Event-ID", given)])  # fmt: skip


def credentials() -> Iterator[Case]:
    """None of them has the form of a token: nothing is looked up."""
    ask = f"{GET_DIALOG}{{dialog}}"
    for given in (
        "",
        "x",
        MARK,
        "bc_bot_",
        "bc_bot_a_b",
        "Bearer x",
        "\xe9\xe8",
        "'--",
        "a" * 9000,
    ):
        yield asked(f"X-Bot-Token: {given[:20]!r}", ask, "nobody", status=401,
                    code="invalid_credentials", headers=[("X-Bot-Token", given)])  # fmt: skip
    yield asked("two tokens", ask, "bot", status=401, code="invalid_credentials",
                headers=[("X-Bot-Token", "x")])  # fmt: skip
    for given in ("Bearer", "Basic YTpi", "bearer", "Bearer \xff", "Negotiate x", "Digest a=b"):
        yield asked(f"Authorization: {given!r}", "GET /api/v1/plugins", "nobody", status=401,
                    code="invalid_credentials", headers=[("Authorization", given)])  # fmt: skip
    yield asked("another's header", ask, "nobody", status=401, code="missing_credentials",
                headers=[("X-Admin-Key", "x"), ("Cookie", "X-Bot-Token=x")])  # fmt: skip


def cases() -> Iterator[Case]:
    for group in (framing, lines, paths, queries, values, credentials):
        yield from group()
