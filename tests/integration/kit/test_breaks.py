"""Each single break of a promise is caught by the check that is named beside it."""

import re
from itertools import count
from uuid import uuid4

import pytest
from aiohttp import web

from impl.kit.checks import invoke
from impl.kit.run import Options, check
from tests.integration.kit.breaks import (
    GOOD,
    TOKEN,
    Break,
    Change,
    Handler,
    as_plain_json,
    broken,
    failing,
    forgetful,
    on,
    slow,
    with_request_header,
    without_header,
)

_numbers = count()


@pytest.fixture(autouse=True)
def _grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin is given half a second beyond its deadline; this machine is busier."""
    monkeypatch.setattr(invoke, "GRACE_SECONDS", 3.0)


def _intent(**changes: object) -> dict[str, object]:
    condition = {"type": "regex", "value": "^/say"}
    return {"tag": "say", "activation_condition": condition, **changes}


# Twenty definitions, each of which asks the next one twice.
DOUBLING = {
    "$ref": "#/$defs/d0",
    "$defs": {
        **{f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(20)},
        "d20": {"type": "object"},
    },
}
TABLE = [
    Break("health with a version of another form", "health",
          around=on("/health", lambda body: {**body, "version": "1"})),
    Break("health that is degraded", "health",
          around=on("/health", lambda body: {**body, "status": "degraded"})),
    Break("a manifest with an unknown member", "manifest.contract",
          manifest=lambda body: {**body, "surprise": 1}),
    Break("a manifest that changes", "manifest.same",
          around=on("/manifest", lambda body: {**body, "description": str(next(_numbers))})),
    Break("a version that /health does not tell", "manifest.version",
          around=on("/health", lambda body: {**body, "version": "9.9.9"})),
    Break("a pattern that only backtracking can match", "manifest.patterns",
          manifest=lambda body: {**body, "intents": [
              _intent(activation_condition={"type": "regex", "value": "(?=a)a"})]}),
    Break("patterns beyond the budget", "manifest.patterns",
          manifest=lambda body: {**body, "intents": [
              _intent(activation_condition={"type": "regex", "value": "(?s)x.{900}y"})]}),
    Break("a condition over what no message has", "manifest.conditions",
          manifest=lambda body: {**body, "intents": [
              _intent(activation_condition={"type": "custom", "value": "user == 1"})]}),
    Break("a condition that takes too long", "manifest.conditions",
          manifest=lambda body: {**body, "intents": [
              _intent(activation_condition={"type": "custom", "value":
                      "metadata.all(a, metadata.all(b, true))"})]}),
    Break("conditions beyond the budget", "manifest.conditions",
          manifest=lambda body: {**body, "intents": [
              _intent(tag=f"t{n}", activation_condition={"type": "custom", "value":
                      "metadata.all(k, !payload.text.contains(k))"}) for n in range(3)]}),
    Break("two intents with one tag", "manifest.intents",
          manifest=lambda body: {**body, "intents": [_intent(), _intent()]}),
    Break("a scope that is asked for twice", "manifest.scopes",
          manifest=lambda body: {**body, "auth": {
              "type": "bearer", "scopes": ["plugins:read", "plugins:read"]}}),
    Break("an output_schema that is none", "manifest.schemas",
          manifest=lambda body: {**body, "output_schema": {"type": "sentence"}}),
    Break("an output_schema that leads elsewhere", "manifest.schemas",
          manifest=lambda body: {**body, "output_schema": {"$ref": "http://127.0.0.1/x"}}),
    Break("an output_schema that doubles itself", "manifest.schemas",
          manifest=lambda body: {**body, "output_schema": DOUBLING}),
    Break("an output_schema with a pattern that only backtracking can match", "manifest.schemas",
          manifest=lambda body: {**body, "output_schema": {"properties": {
              "text": {"pattern": "(?=a)a"}}}}),
    Break("golden examples without dry runs", "manifest.golden_examples",
          manifest=lambda body: {**body, "capabilities": {"dry_run": False}}),
    Break("a golden example of an unknown intent", "manifest.golden_examples",
          manifest=lambda body: {**body, "golden_examples": [
              {**body["golden_examples"][0], "intent": "sing"}]}),
    Break("an answer that the plugin's own schema refuses", "golden.1",
          answer=lambda _: {"text": "I forgot."}),
    Break("a golden example that fails", "golden.1",
          around=failing(lambda request: request.path == "/invoke")),
    Break("no trace in the headers", "trace.get", around=without_header("X-Trace-Id")),
    Break("no trace in a call's headers", "trace.header", around=without_header("X-Trace-Id")),
    Break("another trace in the answer", "trace.body",
          around=on("/invoke", lambda body: {**body, "trace_id": str(uuid4())})),
    Break("the methods are not told", "method", around=without_header("Allow")),
    Break("no bearer is needed", "bearer.missing",
          around=with_request_header("Authorization", GOOD)),
    Break("any bearer is good", "bearer.wrong",
          around=with_request_header("Authorization", GOOD, only=True)),
    Break("a member beyond the contract in the answer", "invoke.answer",
          around=on("/invoke", lambda body: {**body, "mood": "good"})),
    Break("another status of success", "invoke.answer",
          around=on("/invoke", lambda body: body, status=201)),
    Break("an answer without text", "invoke.answer",
          around=on("/invoke", lambda body: {"trace_id": body["trace_id"]})),
    Break("each repetition does it again", "idempotency.again",
          around=on("/invoke", lambda body: {**body, "text": str(next(_numbers))})),
    Break("two at once are done twice", "idempotency.at_once", around=forgetful(at_once=2)),
    Break("an id in capitals is another one", "idempotency.capitals", around=forgetful()),
    Break("deadline_ms is not looked at", "deadline.body", around=slow(60)),
    Break("X-Deadline-Ms is not looked at", "deadline.header", around=slow(60)),
    Break("unknown members are dropped", "fields.unknown",
          sees=lambda fault: fault["code"] != "extra_forbidden"),
    Break("unknown members of the context are dropped", "fields.unknown_inner",
          sees=lambda fault: not fault["pointer"].startswith("/context/")),
    Break("a member that is missing is not missed", "fields.missing",
          sees=lambda fault: fault["code"] != "missing"),
    Break("types are not looked at", "fields.wrong", sees=lambda fault: fault["code"] != "type"),
    Break("any version of the contract is served", "schema_version",
          around=with_request_header("X-Schema-Version", "v1alpha")),
    Break("any media type is read", "media_type",
          around=with_request_header("Content-Type", "application/json")),
    Break("errors are no problems", "json.syntax", around=as_plain_json),
    Break("an endless body is too much for it", "size",
          around=failing(lambda request: (request.content_length or 0) > 10**7)),
    Break("a trace of another system breaks it", "generated.getPluginHealth",
          around=failing(lambda request: "traceparent" in request.headers)),
]  # fmt: skip


@pytest.mark.parametrize("item", TABLE, ids=lambda item: item.what)
async def test_the_named_check_catches_it(item: Break) -> None:
    async with broken(item) as url:
        report = await check(url, TOKEN, Options(only=(item.check,), examples=5))
    (failed,) = report.failures
    assert failed.name == item.check
    assert failed.expected
    assert failed.came
    assert failed.repeat is not None
    assert re.search(rf"curl .*{re.escape(url)}/", failed.repeat)
    assert TOKEN not in f"{failed.came} {failed.repeat}"


async def test_a_plugin_that_hangs_is_not_waited_for_again_and_again() -> None:
    async with broken(Break("it hangs", "none", around=slow(60))) as url:
        report = await check(url, TOKEN, Options(only=("invoke", "trace.body"), timeout=2.0))
    first, *others = report.results
    assert (first.outcome, first.came) == ("failed", "none within 2 s")
    assert {(other.outcome, other.reason) for other in others} == {
        ("not_tried", "an earlier call got no answer")
    }


MEMBERS: list[tuple[Change, str]] = [
    (lambda body: {**body, "auth": {"type": "bearer", "scopes": ["x"]}}, "/auth/scopes/0: "),
    (lambda body: {**body, "intents": [_intent(priority="1")]}, "/intents/0/priority: "),
    (lambda body: {**body, "surprise": 1}, "/surprise: "),
    (lambda body: {name: body[name] for name in body if name != "version"}, "/version: "),
    (lambda _: {"name": "w", "version": "1.0.0", "intents": ["A B"]}, "/intents/0: "),
]


@pytest.mark.parametrize(("change", "told"), MEMBERS)
async def test_the_member_of_a_manifest_that_is_wrong_is_named(change: Change, told: str) -> None:
    async with broken(
        Break("a manifest", "manifest.contract", around=on("/manifest", change))
    ) as url:
        report = await check(url, TOKEN, Options(only=("manifest.contract",)))
    (failed,) = report.failures
    assert (
        failed.expected
        == f"a manifest {'1.0' if told == '/intents/0: ' else '1.1'}, by its members"
    )
    assert (failed.came or "").startswith(told)


@pytest.mark.parametrize(
    ("item", "refusals"),
    [
        (Break("its answer is none", "", around=on("/invoke", lambda _: {})), "passed"),
        (Break("it fails", "", around=failing(lambda it: it.path == "/invoke")), "not_tried"),
    ],
    ids=lambda value: getattr(value, "what", value),
)
async def test_one_fault_is_told_once(item: Break, refusals: str) -> None:
    wanted = ("invoke", "trace.body", "idempotency", "deadline", "golden", "generated.invokePlugin")
    async with broken(item) as url:
        report = await check(url, TOKEN, Options(only=(*wanted, "fields")))
    (failed,) = report.failures
    assert failed.name == "invoke.answer"
    others = [result for result in report.results if result is not failed]
    bad_calls = {result.outcome for result in others if result.name.startswith("fields.")}
    assert bad_calls == {refusals}
    reasons = {result.reason for result in others if not result.name.startswith("fields.")}
    assert reasons == {"/invoke does not answer: see invoke.answer"}


async def test_generated_cases_that_are_all_refused_prove_nothing() -> None:
    """A 401 is declared, so each of them by itself is as the contract says."""
    calls, refusing = count(), with_request_header("Authorization", "Bearer another")

    async def but_one(request: web.Request, handler: Handler) -> web.StreamResponse:
        known = request.path != "/invoke" or next(calls) == 0
        return await (handler(request) if known else refusing(request, handler))

    async with broken(Break("it forgets the token", "", around=but_one)) as url:
        report = await check(url, TOKEN, Options(only=("generated.invokePlugin",), examples=5))
    (failed,) = report.failures
    assert failed.expected == "2xx to a good case"


async def test_without_a_break_they_all_pass() -> None:
    chosen = tuple({item.check for item in TABLE} - {"manifest.conditions"})  # it has none
    async with broken(Break("nothing", "none")) as url:
        report = await check(url, TOKEN, Options(only=chosen, examples=5))
    assert [result.name for result in report.results if result.outcome != "passed"] == []
    assert {result.name for result in report.results} >= set(chosen)
