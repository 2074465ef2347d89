"""Parameters of query and path."""

from dataclasses import replace
from typing import Any, cast

import pytest

from generated.core.dialogs import GetDialog404
from generated.errors import ValidationFailed
from generated.plugin.plugin import INVOKE_PLUGIN
from generated.runtime.call import Call
from tests.unit.runtime.service import DIALOG, GOOD, Answer, Service


async def get(service: Service, query: str) -> Answer:
    service.handlers.outcome = GetDialog404(code="dialog_not_found")
    headers = [("x-bot-token", GOOD)]
    return await service.call("GET", f"/api/v1/dialogs/{DIALOG}", headers=headers, query=query)


async def test_defaults_and_values_reach_the_handler(service: Service) -> None:
    await get(service, "")
    assert (service.handlers.seen[2].limit, service.handlers.seen[2].cursor) == (50, None)
    await get(service, "cursor=abc&limit=%37")
    assert (service.handlers.seen[2].limit, service.handlers.seen[2].cursor) == (7, "abc")


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("limit=1&limit=2", "/limit", "given_twice"),
        ("limit=1&limi%74=1", "/limit", "given_twice"),
        ("page=2", "/page", "extra_forbidden"),
        ("limit=0", "/limit", "greater_than_equal"),
        ("limit=101", "/limit", "less_than_equal"),
        ("limit=", "/limit", "int_parsing"),
        ("limit=1_0", "/limit", "int_parsing"),
        ("limit=5.0", "/limit", "int_parsing"),
        ("limit=%2B5", "/limit", "int_parsing"),
        ("limit=+5", "/limit", "int_parsing"),
        ("limit=5%0A", "/limit", "int_parsing"),
        ("limit=1e1", "/limit", "int_parsing"),
        ("limit=%D9%A5", "/limit", "int_parsing"),  # an Arabic 5
        ("limit=" + "0" * 18 + "50", "/limit", "int_parsing"),
        ("limit=-5", "/limit", "greater_than_equal"),
        ("cursor=a/b", "/cursor", "string_pattern_mismatch"),
        ("cursor=%ff", "/cursor", "string_pattern_mismatch"),
        ("&".join(f"a{n}=1" for n in range(65)), "", "too_many"),
    ],
)
async def test_a_bad_one_is_422(service: Service, query: str, pointer: str, code: str) -> None:
    answer = await get(service, query)
    assert (answer.status, answer.code) == (422, "validation_failed")
    (error,) = answer.json["errors"]
    assert (error["location"], error["pointer"], error["code"]) == ("query", pointer, code)


async def test_an_operation_without_a_query_refuses_one(service: Service) -> None:
    answer = await service.add_message(query="dry_run=1&debug")
    assert (answer.code, answer.pointers) == ("validation_failed", ["/dry_run", "/debug"])


async def test_a_lone_question_mark_is_none(service: Service) -> None:
    assert (await service.add_message(query="&")).status == 200


async def test_a_path_that_holds_no_uuid_is_422(service: Service) -> None:
    for name in ("1", DIALOG.hex, f"{{{DIALOG}}}", "x" * 36):
        path = f"/api/v1/dialogs/{name}/messages"
        answer = await service.call("POST", path, headers=[("x-bot-token", GOOD)])
        assert (answer.status, answer.pointers) == (422, ["/dialog_id"])
        assert answer.json["errors"][0]["location"] == "path"


def test_a_parameter_of_the_header_is_given_once() -> None:
    name = b"x-invocation-id"
    values = {name: str(DIALOG).encode()}
    nothing = cast("Any", None)
    once = Call(INVOKE_PLUGIN, nothing, {}, nothing, values, frozenset(), trace_named=False)
    assert once.header_values({"X-Invocation-Id": name}) == {"X-Invocation-Id": str(DIALOG)}
    twice = replace(once, repeated=frozenset({name}))
    with pytest.raises(ValidationFailed) as caught:
        twice.header_values({"X-Invocation-Id": name})
    (error,) = caught.value.errors
    assert (error.location, error.pointer, error.code) == (
        "header", "/X-Invocation-Id", "given_twice",
    )  # fmt: skip
