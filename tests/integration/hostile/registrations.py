"""Registrations: names, URLs, manifests, schemas, patterns and conditions."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.integration.hostile.case import MARK, Case, World, asked
from tests.stack import manifest, regex_intent

Json = dict[str, Any]
REGISTER = "POST /api/v1/plugins/register"
LONG = MARK + "x" * 5000
INTENT = "/manifest/intents/0"
CONDITION = f"{INTENT}/activation_condition"


def good(world: World) -> Json:
    return {"name": "evil", "version": "1.0.0", "base_url": world.plugin_url,
            "manifest": manifest("evil")}  # fmt: skip


def but(**changed: Any) -> Callable[[World], Json]:
    return lambda world: good(world) | changed


def described(**members: Any) -> Callable[[World], Json]:
    return but(manifest={**manifest("evil"), **members})


def pattern(value: object) -> Callable[[World], Json]:
    return described(intents=[regex_intent("a", value)])  # type: ignore[arg-type]  # hostile: no str


def condition(**members: Any) -> Callable[[World], Json]:
    return described(intents=[{"tag": "a", "activation_condition": members}])


NAMES = ("", "Evil", "../evil", "a b", "a\n", "\u0435vil", "a" * 65, "1a", "a;rm", "'--", "a\x00")
VERSIONS = ("1", "1.0", "v1.0.0", "1.0.0\n", "01.0.0", "1.0.0-" + "a" * 300, "\u0661.0.0", "")
# Loopback is open here, as in development; what is below is open nowhere, or no URL of a plugin.
URLS = (
    "", "evil.example", "//evil.example", "file:///etc/passwd", "ftp://evil.example/",
    "javascript:alert(1)", "http://", "http://user@evil.example", "http://127.0.0.1@evil.example",
    "http://evil.example?x=1", "http://evil.example#x", "http://evil.example/../x y",
    "http://evil.example\\@127.0.0.1", "http://evil.example\r\nX: 1", "http://a..b", "http://[::1]",
    "http://[fe80::1%25eth0]", "http://127.0.0.1:0", "http://127.0.0.1:70000", "http://2130706433",
    "http://0x7f000001", "http://0177.0.0.1", "http://127.1", "http://10.0.0.1",
    "http://172.16.0.1", "http://192.168.1.1", "http://100.64.0.1", "http://169.254.169.254",
    "http://168.63.129.16", "http://100.100.100.200", "http://0.0.0.0", "http://224.0.0.1",
    "http://255.255.255.255", "http://192.0.2.1", "http://198.18.0.1", "http://localhost.",
    "http://\u2460\u2461\u2466.0.0.1", "http://127\u30020\u30020\u30021", "http://%31%32%37.0.0.1",
    "http://" + "a" * 64, "http://a.example/" + "x" * 2000,
)  # fmt: skip
PATTERNS: dict[str, tuple[object, str, str | None]] = {
    "that looks back": (r"(a)\1", f"{CONDITION}/value", "pattern_invalid"),
    "that looks ahead": (r"(?=a)", f"{CONDITION}/value", "pattern_invalid"),
    "that looks behind": (r"(?<=a)b", f"{CONDITION}/value", "pattern_invalid"),
    "that is atomic": (r"(?>a+)b", f"{CONDITION}/value", "pattern_invalid"),
    "that calls itself": (r"(?R)", f"{CONDITION}/value", "pattern_invalid"),
    "that runs code": (r"(?{print 1})", f"{CONDITION}/value", "pattern_invalid"),
    "that is open": (f"(({MARK}", f"{CONDITION}/value", "pattern_invalid"),
    "of a broken class": ("[z-a]", f"{CONDITION}/value", "pattern_invalid"),
    "that explodes": ("((x{100}){100}){100}", f"{CONDITION}/value", "pattern_invalid"),
    "that counts to 1,001": ("x{1001}", f"{CONDITION}/value", "pattern_invalid"),
    "of 3,000 brackets": ("(" * 3000 + ")" * 3000, f"{CONDITION}/value", None),
    "that is costly": ("(.{1,500}){1,2}", "/manifest/intents", "pattern_too_costly"),
    "that is costly by alternatives": ("|".join(f"[a-z]{{1,{n}}}" for n in range(50, 99)),
                                       "/manifest/intents", "pattern_too_costly"),
    "that is nothing": ("", f"{CONDITION}/value", None),
    "that is too long": ("x" * 5000, f"{CONDITION}/value", None),
    "that is a number": (1, f"{CONDITION}/value", None),
}  # fmt: skip
CONDITIONS = {
    "no expression": f"{MARK} is none",
    "an import": "__import__('os').system('id')",
    "a call of what there is not": "read_file('/etc/passwd')",
    "a variable that there is not": "secrets.key == 'a'",
    "another type": "1 + 1",
    "cut off": f"text == '{MARK}",
    "deep": "(" * 300 + "true" + ")" * 300,
    "loops in loops": "[1].all(a, [1].all(b, [1].all(c, [1].all(d, true))))",
    "too long": "true || " * 2000 + "true",
}
DEEP: Json = {}
for _ in range(29):
    DEEP = {"not": DEEP}
SCHEMAS: dict[str, tuple[object, str | None]] = {
    "a list": ([], None),
    "a number": (1, None),
    "a remote reference": ({"$ref": "http://127.0.0.1/x"}, "schema_ref_remote"),
    "a file": ({"$ref": "file:///etc/passwd"}, "schema_ref_remote"),
    "a relative reference": ({"$ref": f"{MARK}.json"}, "schema_ref_remote"),
    "a reference to nothing": ({"$ref": f"#/$defs/{MARK}"}, "schema_ref_unknown"),
    "itself": ({"$ref": "#"}, "schema_too_costly"),
    "itself, in a circle": ({"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#"}]}}},
                            "schema_too_costly"),
    "doubling": ({"$ref": "#/$defs/d0", "$defs": {
        **{f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)},
        "d30": {}}}, "schema_too_costly"),
    "a pattern that looks back": ({"pattern": rf"({MARK})\1"}, "pattern_invalid"),
    "a costly pattern": ({"pattern": ".{1,500}"}, "pattern_too_costly"),
    "another draft": ({"$schema": "http://json-schema.org/draft-07/schema#"},
                      "schema_unsupported"),
    "$dynamicRef": ({"$dynamicRef": "#x"}, "schema_unsupported"),
    "a type that there is not": ({"type": MARK}, "schema_invalid"),
    "multiples of 0": ({"multipleOf": 0}, "schema_invalid"),
    "a count that is true": ({"maxLength": True}, "schema_invalid"),
    "too deep": ({"allOf": [DEEP, {"not": DEEP}]}, None),
    "1,500 subschemas": ({"prefixItems": [{}] * 1500}, "schema_too_large"),
    "a URL of a file": ("file:///etc/passwd", None),
    "a URL of the clouds": ("http://169.254.169.254/", None),
    "a URL elsewhere": ("http://127.0.0.1:9/schema.json", "schema_elsewhere"),
}  # fmt: skip
MANIFESTS: dict[str, tuple[Json, str | None]] = {
    "another name": ({"name": "other"}, "/manifest/name"),
    "another version": ({"version": "2.0.0"}, "/manifest/version"),
    "an unknown member": ({"eval": MARK}, "/manifest/eval"),
    "__proto__": ({"__proto__": {"admin": 1}}, "/manifest/__proto__"),
    "a description with an escape": ({"description": "\x1b[2J"}, "/manifest/description"),
    "intents as an object": ({"intents": {"a": 1}}, "/manifest/intents"),
    "201 intents": ({"intents": [regex_intent(f"t{n}", "x") for n in range(201)]},
                    "/manifest/intents"),
    "a tag with a slash": ({"intents": [regex_intent("a/b", "x")]}, f"{INTENT}/tag"),
    "a tag twice": ({"intents": [regex_intent("a", "x")] * 2}, "/manifest/intents/1/tag"),
    "priority 1001": ({"intents": [regex_intent("a", "x", 1001)]}, f"{INTENT}/priority"),
    "priority in quotes": ({"intents": [{**regex_intent("a", "x"), "priority": "1"}]},
                           f"{INTENT}/priority"),
    "a threshold of 2": ({"intents": [{"tag": "a", "activation_condition":
                         {"type": "classifier", "threshold": 2}}]}, f"{CONDITION}/threshold"),
    "basic authorization": ({"auth": {"type": "basic"}}, "/manifest/auth/type"),
    "a scope of admins": ({"auth": {"type": "bearer", "scopes": ["bots:manage"]}}, None),
    "a beat of 0 s": ({"telemetry": {"heartbeat_interval_seconds": 0}},
                      "/manifest/telemetry/heartbeat_interval_seconds"),
    "no version served": ({"supported_schema_versions": ["v9"]},
                          "/manifest/supported_schema_versions"),
    "100 KB": ({"description": "x" * 100_000}, None),
    "an owner of two lines": ({"metadata": {"owner": "a\nb"}}, "/manifest/metadata/owner"),
    "a changelog that is a script": ({"metadata": {"changelog_url": "javascript:alert(1)"}},
                                     "/manifest/metadata/changelog_url"),
}  # fmt: skip


def cases() -> Iterator[Case]:
    for name in NAMES:
        yield asked(f"plugin name {name[:20]!r}", REGISTER, "registry", but(name=name),
                    pointer="/name")  # fmt: skip
    for version in VERSIONS:
        yield asked(f"plugin version {version[:20]!r}", REGISTER, "registry", but(version=version),
                    pointer="/version")  # fmt: skip
    for url in URLS:
        yield asked(f"base_url {url[:40]!r}", REGISTER, "registry", but(base_url=url),
                    pointer="/base_url")  # fmt: skip
    for about, (value, pointer, fault) in PATTERNS.items():
        yield asked(f"pattern {about}", REGISTER, "registry", pattern(value), pointer=pointer,
                    fault=fault)  # fmt: skip
    for about, expression in CONDITIONS.items():
        body = condition(type="custom", value=expression)
        yield asked(f"condition: {about}", REGISTER, "registry", body, pointer=f"{CONDITION}/value")
    for about, (schema, fault) in SCHEMAS.items():
        for member in ("output_schema", "input_schema"):
            body = described(**{member: schema})
            yield asked(f"{member}: {about}", REGISTER, "registry", body, fault=fault)
    for about, (members, pointer) in MANIFESTS.items():  # type: ignore[assignment]  # the loop before has others
        yield asked(f"manifest: {about}", REGISTER, "registry", described(**members),
                    pointer=pointer)  # fmt: skip
    yield asked("manifest: a list", REGISTER, "registry", but(manifest=[]), pointer="/manifest")
    yield asked("scopes beyond the manifest", REGISTER, "registry", but(scopes=["telemetry:read"]),
                pointer="/scopes/0")  # fmt: skip
    yield asked("a scope of admins", REGISTER, "registry", but(scopes=["bots:manage"]),
                pointer="/scopes/0")  # fmt: skip
    yield asked("another plugin's version", REGISTER, "registry",
                lambda world: good(world) | {"name": "victim", "manifest": manifest(
                    "victim", "1.0.0", regex_intent("all", ".*"))},
                status=409, code="plugin_conflict")  # fmt: skip
    yield asked("a token that is none", REGISTER, "registry", good, status=401,
                code="invalid_credentials", headers=[("Authorization", "Bearer x")])  # fmt: skip
