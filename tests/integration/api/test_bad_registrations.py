"""What is wrong with a registration or a heartbeat is named, and nothing of it is stored."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.stack import Answer, Api, ScriptedPlugin, manifest, regex_intent

Change = Callable[[dict[str, Any]], object]


def intent(**changed: Any) -> dict[str, Any]:
    return {**regex_intent("all", "x"), **changed}


def with_intents(*intents: Any) -> Change:
    return lambda body: body["manifest"].update(intents=list(intents))


def described(**members: Any) -> Change:
    return lambda body: body["manifest"].update(members)


def lacking(member: str) -> Change:
    return lambda body: body["manifest"].pop(member)


def without_auth(body: dict[str, Any]) -> None:
    body["manifest"].update(intents=[intent()])
    del body["manifest"]["auth"]


def example(**changed: Any) -> dict[str, Any]:
    return {"name": "Rome", "payload": {"type": "text", "text": "/weather Rome"}, **changed}


def proving(*examples: Any) -> Change:
    return described(capabilities={"dry_run": True}, golden_examples=list(examples))


def condition(**members: Any) -> Change:
    return with_intents({"tag": "all", "activation_condition": members})


INTENT = "/manifest/intents/0"
CONDITION = f"{INTENT}/activation_condition"
# Each change of a good registration, with the place of what is then wrong and its code.
REFUSED: dict[str, tuple[Change, str, str]] = {
    "no manifest": (lambda body: body.pop("manifest"), "/manifest", "missing"),
    "a manifest that is a list": (lambda body: body.update(manifest=[]), "/manifest", "dict_type"),
    "a manifest that is null": (lambda body: body.update(manifest=None), "/manifest", "dict_type"),
    "no intents": (lacking("intents"), "/manifest/intents", "missing"),
    "no auth": (without_auth, "/manifest/auth", "missing"),
    "an unknown member": (described(colour="red"), "/manifest/colour", "extra_forbidden"),
    "a version that is none": (
        lambda body: body["manifest"].update(version="one.two.three"),
        "/manifest/version",
        "string_pattern_mismatch",
    ),
    "another name": (described(name="other"), "/manifest/name", "mismatch"),
    "a priority too low": (with_intents(intent(priority=-1)), f"{INTENT}/priority",
                           "greater_than_equal"),
    "a priority too high": (with_intents(intent(priority=1001)), f"{INTENT}/priority",
                            "less_than_equal"),
    "a priority with a fraction": (with_intents(intent(priority=0.5)), f"{INTENT}/priority",
                                   "int_type"),
    "a priority in quotes": (with_intents(intent(priority="7")), f"{INTENT}/priority", "int_type"),
    "a threshold too high": (condition(type="classifier", threshold=1.01),
                             f"{CONDITION}/threshold", "less_than_equal"),
    "a threshold too low": (condition(type="regex", value="x", threshold=-0.01),
                            f"{CONDITION}/threshold", "greater_than_equal"),
    "a threshold in quotes": (condition(type="custom", value="x", threshold="0.5"),
                              f"{CONDITION}/threshold", "float_type"),
    "an unknown condition": (condition(type="magic"), CONDITION, "union_tag_invalid"),
    "no pattern": (condition(type="regex"), f"{CONDITION}/value", "missing"),
    "a broken pattern": (condition(type="regex", value="(("), f"{CONDITION}/value",
                         "pattern_invalid"),
    "a pattern that looks back": (condition(type="regex", value=r"(a)\1"), f"{CONDITION}/value",
                                  "pattern_invalid"),
    "an exploding pattern": (condition(type="regex", value="((x{100}){100}){100}"),
                             f"{CONDITION}/value", "pattern_invalid"),
    "a costly pattern": (condition(type="regex", value="(.{1,500}){1,2}"),
                         "/manifest/intents", "pattern_too_costly"),
    "a tag twice": (with_intents(intent(), intent()), "/manifest/intents/1/tag", "duplicate"),
    "a bare tag twice": (
        lambda body: body.update(
            manifest={"name": "weather", "version": "1.0.0", "intents": ["a", "b", "a"]}
        ),
        "/manifest/intents/2",
        "duplicate",
    ),
    "a bare tag among intents": (with_intents("a", intent()), "/manifest/intents/1", "string_type"),
    "too many intents": (with_intents(*(intent(tag=f"t{n}") for n in range(201))),
                         "/manifest/intents", "too_long"),
    "no version served": (described(supported_schema_versions=["v9"]),
                          "/manifest/supported_schema_versions", "none_served"),
    "a scope that nobody knows": (lambda body: body.update(scopes=["root"]), "/scopes/0",
                                  "literal_error"),
    "a scope beyond the manifest": (lambda body: body.update(scopes=["telemetry:read"]),
                                    "/scopes/0", "scope_not_in_manifest"),
    "examples without dry_run": (described(golden_examples=[example()]),
                                 "/manifest/golden_examples", "needs_dry_run"),
    "an example without text": (proving(example(payload={"type": "text"})),
                                "/manifest/golden_examples/0/payload/text", "missing"),
    "an example's name twice": (proving(example(), example()),
                                "/manifest/golden_examples/1/name", "duplicate"),
    "an example of no intent": (proving(example(intent="none")),
                                "/manifest/golden_examples/0/intent", "unknown"),
    "too many examples": (proving(*(example(name=str(n)) for n in range(11))),
                          "/manifest/golden_examples", "too_long"),
    "too large as it is stored": (
        described(input_schema={"description": ["x" * 1000 for _ in range(70)]}),
        "/manifest",
        "too_large",
    ),
    "intents too large as they are stored": (
        with_intents(*(
            {"tag": f"t{number}", "activation_condition": {"type": "classifier"},
             "description": "x" * 220}
            for number in range(199)
        )),
        "/manifest/intents",
        "too_large",
    ),
}  # fmt: skip
STORED = ("plugins", "tokens WHERE kind = 'plugin'", "outbox", "audit_logs", "plugin_events")


def faults(answer: Answer) -> list[tuple[str, str]]:
    assert (answer.status, answer.json["code"]) == (422, "validation_failed"), answer.raw
    return [(error["pointer"], error["code"]) for error in answer.json["errors"]]


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_wrong_is_named_and_nothing_is_stored(
    name: str, api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    change, pointer, code = REFUSED[name]
    body = {
        "name": "weather",
        "version": "1.0.0",
        "base_url": plugin.url,
        "manifest": manifest("weather"),
    }
    change(body)
    found = faults(await api.register(body))
    assert (pointer, code) in found
    assert len(found) == 1, "noise of another form"
    for table in STORED:
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0, table


async def test_a_body_beyond_the_cap_is_refused(api: Api, pool: asyncpg.Pool) -> None:
    answer = await api.register({"name": "x" * 300_000})
    assert (answer.status, answer.json["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("members", "status", "pointer"),
    [
        ('"latency_ms": NaN', 400, None),
        ('"latency_ms": Infinity', 400, None),
        ('"latency_ms": 1e999', 422, "/latency_ms"),
        ('"latency_ms": -1', 422, "/latency_ms"),
        ('"latency_ms": "1"', 422, "/latency_ms"),
        ('"queue_depth": -1', 422, "/queue_depth"),
        ('"queue_depth": 1.5', 422, "/queue_depth"),
        ('"queue_depth": 9223372036854775808', 422, "/queue_depth"),
        ('"metrics": {"a": -Infinity}', 400, None),
        ('"metrics": {"a": 1e400}', 422, "/metrics/a"),
        ('"metrics": {"a": "1"}', 422, "/metrics/a"),
        ('"metrics": {"a b": 1}', 422, "/metrics/a b"),
        ('"last_heartbeat": "2024-02-29T10:15:30Z"', 422, "/last_heartbeat"),
    ],
)
async def test_a_bad_heartbeat_is_none(
    members: str, status: int, pointer: str | None, api: Api, pool: asyncpg.Pool
) -> None:
    done = await api.add_plugin("http://127.0.0.1:1")
    raw = f'{{"plugin_id": "{done["plugin_id"]}", "status": "active", {members}}}'
    answer = await api.send(
        "POST",
        f"/api/v1/plugins/{done['plugin_id']}/heartbeat",
        data=raw.encode(),
        headers={
            "Authorization": f"Bearer {done['token']}",
            "Content-Type": "application/json",
        },
    )
    assert answer.status == status, answer.raw
    if pointer is not None:
        assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    row = await pool.fetchrow("SELECT status, last_heartbeat FROM plugins")
    assert tuple(row) == ("registering", None)
    assert await pool.fetchval("SELECT count(*) FROM audit_logs") == 1


@pytest.mark.parametrize("whose", ["nobody's", "another's"])
async def test_a_heartbeat_for_another_is_refused(
    whose: str, api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    done, other = await api.add_plugin(plugin.url, "one"), await api.add_plugin(plugin.url, "two")
    named = other["plugin_id"] if whose == "another's" else str(uuid4())
    headers = {"Authorization": f"Bearer {done['token']}"}
    for path, said, status in ((named, named, 404), (done["plugin_id"], named, 422)):
        answer = await api.send(
            "POST",
            f"/api/v1/plugins/{path}/heartbeat",
            json={"plugin_id": said, "status": "disabled"},
            headers=headers,
        )
        assert answer.status == status
    rows = await pool.fetch("SELECT status, last_heartbeat FROM plugins")
    assert {tuple(row) for row in rows} == {("active", None)}
