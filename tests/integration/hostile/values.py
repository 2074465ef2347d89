"""Well-formed JSON whose values are hostile, for each operation that takes some."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.integration.hostile.case import MARK, Case, World, asked

NIL = "00000000-0000-0000-0000-000000000000"
Json = dict[str, Any]
LONG = MARK + "x" * 5000
BIDI = "a\u202etxt.exe"


def but(good: Callable[[World], Json], **changed: Any) -> Callable[[World], Json]:
    """`good` with these members; callables are asked for theirs."""

    def made(world: World) -> Json:
        given = {
            name: value(world) if callable(value) else value for name, value in changed.items()
        }
        return good(world) | given

    return made


def message(world: World) -> Json:
    return {"user_id": world.user, "payload": {"type": "text", "text": "Hello!"}}


def image(url: str, **more: Any) -> Json:
    file = {"id": NIL, "type": "image/png", "url": url, **more}
    return {"type": "image", "attachments": [file]}


FILE = "/payload/attachments/0"
MESSAGES: dict[str, tuple[Json, str | None]] = {
    "an unknown field": ({"role": "system"}, "/role"),
    "__proto__": ({"__proto__": {"admin": True}}, "/__proto__"),
    "another dialog": ({"dialog_id": NIL}, "/dialog_id"),
    "a trace that is none": ({"trace_id": f"{MARK}\r\nX-Evil: 1"}, "/trace_id"),
    "a user that is an object": ({"user_id": {"$ne": None}}, "/user_id"),
    "a user that is true": ({"user_id": True}, "/user_id"),
    "an id with a slash": ({"message_id": "a/../b"}, "/message_id"),
    "an id of dots": ({"message_id": ".."}, "/message_id"),
    "an id with a line break": ({"message_id": "a\r\nLocation: http://evil"}, "/message_id"),
    "an id in Cyrillic": ({"message_id": "\u0430"}, "/message_id"),
    "an id too long": ({"message_id": LONG}, "/message_id"),
    "no payload": ({"payload": None}, "/payload"),
    "a payload of no type": ({"payload": {"text": MARK}}, "/payload"),
    "a payload of an unknown type": ({"payload": {"type": MARK, "text": "x"}}, "/payload"),
    "a payload that is a list": ({"payload": [{"type": "text", "text": "x"}]}, "/payload"),
    "a hidden field": ({"payload": {"type": "text", "text": "x", "system": MARK}},
                       "/payload/system"),
    "a field of another type": ({"payload": {"type": "image", "text": "x", "attachments": []}},
                                None),
    "eleven files": ({"payload": {**image("http://a.example/b"),
                      "attachments": image("http://a.example/b")["attachments"] * 11}},
                     "/payload/attachments"),
    "a file on the disk": ({"payload": image("file:///etc/passwd")}, f"{FILE}/url"),
    "a script": ({"payload": image("javascript:alert(1)")}, f"{FILE}/url"),
    "data": ({"payload": image("data:text/html,<script>")}, f"{FILE}/url"),
    "user information": ({"payload": image("http://a:b@c.example/")}, f"{FILE}/url"),
    "a host that is none": ({"payload": image("http://a..b/")}, f"{FILE}/url"),
    "a port that is none": ({"payload": image("http://a.example:70000/")}, f"{FILE}/url"),
    "a URL with a line break": ({"payload": image("http://a.example/\r\nX: 1")}, f"{FILE}/url"),
    "a URL too long": ({"payload": image("http://a.example/" + LONG)}, f"{FILE}/url"),
    "a type with markup": ({"payload": image("http://a.example/", type="<script>")},
                           f"{FILE}/type"),
    "metadata in depth": ({"metadata": {"a": {"b": 1}}}, "/metadata/a"),
    "metadata of a list": ({"metadata": {"a": [1]}}, "/metadata/a"),
    "too much metadata": ({"metadata": {str(n): 1 for n in range(21)}}, "/metadata"),
    "a long value": ({"metadata": {"a": LONG}}, "/metadata/a"),
    "a control character": ({"metadata": {"a": "\x1b[2J"}}, "/metadata/a"),
    "a key with a space": ({"metadata": {"a b": 1}}, "/metadata/a b"),
    "a key with a dollar": ({"metadata": {"$where": 1}}, "/metadata/$where"),
    "a long key": ({"metadata": {"k" * 65: 1}}, None),
    "a number beyond doubles": ({"metadata": {"a": 9007199254740993}}, "/metadata/a"),
}  # fmt: skip


def user(_world: World) -> Json:
    return {"telegram_id": 77, "display_name": "Ada"}


USERS: dict[str, tuple[Json, str]] = {
    "id 0": ({"telegram_id": 0}, "/telegram_id"),
    "a negative id": ({"telegram_id": -1}, "/telegram_id"),
    "an id in quotes": ({"telegram_id": "1"}, "/telegram_id"),
    "an id that is true": ({"telegram_id": True}, "/telegram_id"),
    "an id with a fraction": ({"telegram_id": 1.5}, "/telegram_id"),
    "an id of 1e30": ({"telegram_id": 1e30}, "/telegram_id"),
    "no name": ({"display_name": ""}, "/display_name"),
    "a name of two lines": ({"display_name": "a\nb"}, "/display_name"),
    "a name with an escape": ({"display_name": "\x1b]0;x\x07"}, "/display_name"),
    "a long name": ({"display_name": LONG}, "/display_name"),
    "a locale that is a path": ({"locale": "../../etc/passwd"}, "/locale"),
    "a locale with NUL": ({"locale": "en_US"}, "/locale"),
    "a long locale": ({"locale": "en-" + "a" * 60}, "/locale"),
    "a role": ({"role": "admin"}, "/role"),
    "an id of one's own": ({"user_id": NIL}, "/user_id"),
}


def beat(world: World) -> Json:
    return {"plugin_id": world.plugin, "status": "active"}


HEARTBEATS: dict[str, tuple[Json, str]] = {
    "another's id": ({"plugin_id": str(uuid4())}, "/plugin_id"),
    "a status that there is not": ({"status": "registering"}, "/status"),
    "a negative latency": ({"latency_ms": -1}, "/latency_ms"),
    "a latency in quotes": ({"latency_ms": "1"}, "/latency_ms"),
    "an endless queue": ({"queue_depth": 10**12}, "/queue_depth"),
    "a metric's name with a label": ({"metrics": {'a{b="c"}': 1}}, '/metrics/a{b="c"}'),
    "a metric's name of two lines": ({"metrics": {"a\nb": 1}}, "/metrics/a\nb"),
    "a metric that is text": ({"metrics": {"a": MARK}}, "/metrics/a"),
    "too many metrics": ({"metrics": {f"m{n}": 1 for n in range(65)}}, "/metrics"),
}


def event(world: World) -> Json:
    moment = datetime.now(UTC).isoformat()
    return {"event_id": str(uuid4()), "plugin_id": world.plugin, "occurred_at": moment,
            "event_type": "plugin_custom_a"}  # fmt: skip


EVENTS: dict[str, tuple[Json, str]] = {
    "the core's own type": ({"event_type": "plugin_registered"}, "/event_type"),
    "a type with a space": ({"event_type": "plugin_custom_a b"}, "/event_type"),
    "a type that is a path": ({"event_type": "plugin_custom_../x"}, "/event_type"),
    "a type in capitals": ({"event_type": "plugin_custom_A"}, "/event_type"),
    "a severity that there is not": ({"severity": "fatal"}, "/severity"),
    "the core as its source": ({"source": "core"}, "/source"),
    "another's id": ({"plugin_id": str(uuid4())}, "/plugin_id"),
    "an id that is none": ({"event_id": f"{MARK}"}, "/event_id"),
    "tomorrow": ({"occurred_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()},
                 "/occurred_at"),
    "no offset": ({"occurred_at": "2026-01-01T00:00:00"}, "/occurred_at"),
    "seconds since 1970": ({"occurred_at": 1767225600}, "/occurred_at"),
    "the year 0": ({"occurred_at": "0000-01-01T00:00:00Z"}, "/occurred_at"),
    "a payload of 70 KB": ({"payload": {"a": "x" * 70_000}}, ""),
    "a payload of a list": ({"payload": [1]}, "/payload"),
    "a payload of 101 members": ({"payload": {str(n): 1 for n in range(101)}}, "/payload"),
}  # fmt: skip
ADMIN: tuple[tuple[str, str, Json, str], ...] = (
    ("POST /api/v1/admin/bots", "a name of two lines", {"name": "a\nb"}, "/name"),
    ("POST /api/v1/admin/bots", "a name that turns", {"name": BIDI}, "/name"),
    ("POST /api/v1/admin/bots", "an invisible name", {"name": "a\u200bb"}, "/name"),
    ("POST /api/v1/admin/bots", "a long name", {"name": LONG}, "/name"),
    ("POST /api/v1/admin/bots", "a scope of admins",
     {"name": "a", "scopes": ["bots:manage"]}, "/scopes/0"),
    ("POST /api/v1/admin/bots", "every scope", {"name": "a", "scopes": ["*"]}, "/scopes/0"),
    ("POST /api/v1/admin/bots", "scopes as text", {"name": "a", "scopes": "dialogs:read"},
     "/scopes"),
    ("POST /api/v1/admin/bots", "a scope twice",
     {"name": "a", "scopes": ["dialogs:read", "dialogs:read"]}, "/scopes"),
    ("POST /api/v1/admin/bots/{bot}/tokens", "no end",
     {"scopes": ["dialogs:read"], "expires_in_seconds": 10**18}, "/expires_in_seconds"),
    ("POST /api/v1/admin/bots/{bot}/tokens", "an end before now",
     {"scopes": ["dialogs:read"], "expires_in_seconds": -1}, "/expires_in_seconds"),
    ("PUT /api/v1/admin/limits/bot/{bot}", "a negative quota",
     {"quota": -1, "window_seconds": 60}, "/quota"),
    ("PUT /api/v1/admin/limits/bot/{bot}", "an endless quota",
     {"quota": 2**62, "window_seconds": 60}, "/quota"),
    ("PUT /api/v1/admin/limits/bot/{bot}", "no window",
     {"quota": 1, "window_seconds": 0}, "/window_seconds"),
    ("PUT /api/v1/admin/limits/bot/{bot}", "a window with a fraction",
     {"quota": 1, "window_seconds": 0.5}, "/window_seconds"),
    ("POST /api/v1/admin/plugins/{plugin}/disable", "a reason of two lines",
     {"reason": "a\nplugin_enabled"}, "/reason"),
    ("POST /api/v1/admin/plugins/{plugin}/disable", "a long reason", {"reason": LONG}, "/reason"),
    ("POST /api/v1/routing/explain", "a payload of no type", {"payload": {}}, "/payload"),
    ("POST /api/v1/routing/explain", "a dialog that is none",
     {"payload": {"type": "text", "text": "x"}, "dialog_id": MARK}, "/dialog_id"),
)  # fmt: skip
# Of webhooks; the guard's own tests have every form of every address.
HOOKS = (
    "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://192.168.0.1/",
    "http://0.0.0.0/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/",
    "http://127.1/", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://[fe80::1%25eth0]/",
    "http://100.100.100.200/", "http://localhost./", "http://user@1.1.1.1/", "ftp://1.1.1.1/",
    "gopher://1.1.1.1/", "http://1.1.1.1:0/", "http:///", "//1.1.1.1/", "http://1.1.1.1\\@a/",
    "http://xn--/", "http://\u2460.\u2460.\u2460.\u2460/", f"http://{'a' * 64}.example/",
)  # fmt: skip


def cases() -> Iterator[Case]:
    for group, request, who, good, table in (
        ("message", "POST /api/v1/dialogs/{dialog}/messages", "bot", message, MESSAGES),
        ("user", "POST /api/v1/users", "bot", user, USERS),
        ("heartbeat", "POST /api/v1/plugins/{plugin}/heartbeat", "plugin", beat, HEARTBEATS),
        ("event", "POST /api/v1/plugins/{plugin}/events", "plugin", event, EVENTS),
    ):
        for name, (changed, pointer) in table.items():
            made = but(good, **changed)
            yield asked(f"{group}: {name}", request, who, made, pointer=pointer)
    for request, name, body, pointer in ADMIN:
        yield asked(f"{request[5:]}: {name}", request, "admin", body, pointer=pointer)
    for url in HOOKS:
        for request, member in (
            ("POST /api/v1/notifications/subscriptions", "url"),
            ("PUT /api/v1/admin/bots/{bot}/callback", "callback_url"),
        ):
            yield asked(f"{member}: {url[:40]!r}", request, "admin", {member: url},
                        pointer=f"/{member}")  # fmt: skip
    reset = "POST /api/v1/dialogs/{dialog}/reset"
    for reason in ("a b", "A", "", "a" * 65, f"{MARK}\n"):
        yield asked(f"reset: reason {reason[:9]!r}", reset,
                    body=but(lambda world: {"user_id": world.user}, reason=reason),
                    pointer="/reason")  # fmt: skip
    yield asked("message: a stranger", "POST /api/v1/dialogs/{dialog}/messages",
                body=but(message, user_id=NIL), status=404, code="user_not_found")  # fmt: skip
