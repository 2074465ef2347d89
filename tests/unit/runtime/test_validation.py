"""Where a value was refused, told as a JSON pointer; never what it was."""

import gc
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generated.errors import ValidationFailed
from generated.models import (
    DialogMessageCreateV1,
    PluginHeartbeatRequestV1,
    PluginInvocationResponseV1,
    PluginManifestV1,
    UserUpsertV1,
)
from generated.runtime.problems import ProblemError
from generated.runtime.validation import read_json
from tests.unit.runtime.service import PLUGIN, USER

SENTINEL = "zq7-never-echoed"


def refused(model: Any, value: object) -> dict[str, str]:
    """The refusal's pointers, each with its code."""
    with pytest.raises(ValidationFailed) as caught:
        read_json(model, json.dumps(value).encode())
    return {error.pointer: error.code for error in caught.value.errors}


def message(payload: object, **more: object) -> dict[str, object]:
    return {"user_id": str(USER), "payload": payload} | more


def described(**manifest: object) -> dict[str, object]:
    return {
        "name": "weather", "version": "1.0.0", "intents": [], "auth": {"type": "bearer"},
        "supported_schema_versions": ["v1alpha"],
    } | manifest  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"type": "text"}, {"/payload/text": "missing"}),
        ({"type": "text", "text": ""}, {"/payload/text": "string_too_short"}),
        ({"type": "text", "text": 5}, {"/payload/text": "string_type"}),
        ({"type": "text", "text": "x", "more": 1}, {"/payload/more": "extra_forbidden"}),
        ({"type": "image"}, {"/payload/attachments": "missing"}),
        ({"type": "image", "attachments": []}, {"/payload/attachments": "too_short"}),
        (
            {"type": "image", "image": {}, "attachments": [{}]},
            {
                "/payload/image": "extra_forbidden",
                "/payload/attachments/0/id": "missing",
                "/payload/attachments/0/type": "missing",
                "/payload/attachments/0/url": "missing",
            },
        ),
        ({"type": "video"}, {"/payload": "union_tag_invalid"}),
        ({}, {"/payload": "union_tag_not_found"}),
        ("text", {"/payload": "dict_type"}),
        ([], {"/payload": "dict_type"}),
    ],
)
def test_a_payload_is_told_apart_by_its_type(payload: object, expected: dict[str, str]) -> None:
    assert refused(DialogMessageCreateV1, message(payload)) == expected


TEXT = {"type": "text", "text": "x"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"user_id": 5}, {"/user_id": "uuid_type"}),
        ({"user_id": "z" * 36}, {"/user_id": "uuid_parsing"}),
        ({"user_id": USER.hex}, {"/user_id": "uuid_form"}),
        ({"message_id": "a b"}, {"/message_id": "string_pattern_mismatch"}),
        ({"metadata": {"a": []}}, {"/metadata/a": "string_type"}),
        ({"metadata": {"a b": 1}}, {"/metadata/a b": "string_pattern_mismatch"}),
        ({"metadata": {f"k{n}": 1 for n in range(33)}}, {"/metadata": "too_long"}),
        ({"a/b~c": 1}, {"/a~1b~0c": "extra_forbidden"}),
    ],
)
def test_each_member_is_pointed_at(more: dict[str, object], expected: dict[str, str]) -> None:
    found = refused(DialogMessageCreateV1, message(TEXT, **more))
    assert list(found) == list(expected)
    if "metadata" not in more:
        assert found == expected


def test_a_union_in_a_list_in_a_document_is_pointed_at() -> None:
    intents = [
        {"tag": "a", "activation_condition": {"type": "classifier"}},
        {"tag": "b", "activation_condition": {"type": "regex", "regex": 1}},
        {"tag": "c", "activation_condition": {"type": "regex", "value": "x", "threshold": 2}},
    ]
    assert refused(PluginManifestV1, described(intents=intents)) == {
        "/intents/1/activation_condition/value": "missing",
        "/intents/1/activation_condition/regex": "extra_forbidden",
        "/intents/2/activation_condition/threshold": "less_than_equal",
    }


def test_no_pointer_names_a_type_of_ours() -> None:
    schema = {f"k{n}": 1 for n in range(101)}
    found = refused(PluginManifestV1, described(input_schema=schema))
    assert list(found) == ["/input_schema"]


@pytest.mark.parametrize("value", ["814", 814.5, True, None, 2**63, 0])
def test_a_number_is_a_number_within_its_bounds(value: object) -> None:
    assert list(refused(UserUpsertV1, {"telegram_id": value, "display_name": "A"})) == [
        "/telegram_id"
    ]


@pytest.mark.parametrize("value", ["1", True, "NaN"])
def test_a_metric_is_a_number(value: object) -> None:
    body = {"plugin_id": str(PLUGIN), "status": "active", "metrics": {"x": value}}
    assert list(refused(PluginHeartbeatRequestV1, body)) == ["/metrics/x"]


@pytest.mark.parametrize("body", [[], "x", 5, None, True])
def test_a_body_that_is_no_object_is_pointed_at_whole(body: object) -> None:
    assert list(refused(UserUpsertV1, body)) == [""]


places = st.sampled_from(
    [
        ("user_id",), ("message_id",), ("trace_id",), ("dialog_id",), ("payload",), ("metadata",),
        ("payload", "type"), ("payload", "attachments"), ("metadata", "a"),
    ]
)  # fmt: skip
wrong = st.sampled_from(
    [
        SENTINEL, [SENTINEL], {"type": SENTINEL}, {"k": {"k": SENTINEL}}, SENTINEL * 300,
        [{"id": SENTINEL, "type": SENTINEL + " ", "url": SENTINEL}], f"{SENTINEL}\x01",
        SENTINEL.ljust(36, "-"),
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(places, wrong)
def test_no_refusal_echoes_a_value(place: tuple[str, ...], value: object) -> None:
    body: dict[str, Any] = message({"type": "text", "text": "x"}, metadata={})
    target = body
    for part in place[:-1]:
        target = target[part]
    target[place[-1]] = value
    try:
        read_json(DialogMessageCreateV1, json.dumps(body).encode())
    except ProblemError as error:
        content = error.body("t")
        assert b"zq7" not in content
        json.loads(content)


def test_a_character_of_a_bad_uuid_is_no_message() -> None:
    with pytest.raises(ValidationFailed) as caught:
        read_json(DialogMessageCreateV1, json.dumps(message(TEXT, user_id="~" * 36)).encode())
    (error,) = caught.value.errors
    assert "~" not in error.message


def test_of_very_many_wrong_values_fifty_are_placed_and_all_are_counted() -> None:
    intent = {"tag": "a", "activation_condition": {"type": "classifier"}, "examples": [1] * 99}
    body = json.dumps({"intents": [intent] * 100}).encode()
    with pytest.raises(ValidationFailed) as caught:
        read_json(PluginManifestV1, body)
    assert len(caught.value.errors) == 50
    assert caught.value.detail == "9904 values were refused; see errors."


def test_of_even_more_none_is_placed_and_all_are_counted() -> None:
    intent = {"tag": "a", "activation_condition": {"type": "classifier"}, "examples": [1] * 200}
    body = json.dumps({"intents": [intent] * 100}).encode()
    with pytest.raises(ValidationFailed) as caught:
        read_json(PluginManifestV1, body, declared=30_000)
    assert [(error.pointer, error.code) for error in caught.value.errors] == [
        ("", "too_many_errors")
    ]
    assert caught.value.detail == "20004 values were refused; see errors."


def test_a_pointer_into_a_huge_name_is_cut() -> None:
    found = refused(DialogMessageCreateV1, message(TEXT, **{"~" * 200_000: 1}))
    assert list(found) == ["/" + "~0" * 128 + "…"]


REFUSED_WITHIN = 0.4  # seconds of work; it takes a tenth of that, and took twice as much


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (PluginInvocationResponseV1, {f"{n:x}": 0 for n in range(105_000)}),
        (PluginInvocationResponseV1, {f"{n:x}": 0 for n in range(19_000)}),
        (PluginInvocationResponseV1, {"attachments": [{}] * 9_000}),
        (PluginInvocationResponseV1, [[]] * 340_000),
        (DialogMessageCreateV1, {"metadata": {"a": [[]] * 9_000}}),
        (DialogMessageCreateV1, {"payload": {"type": "text"} | {str(n): 0 for n in range(19_000)}}),
    ],
)
def test_a_hostile_body_holds_nobody_up(model: Any, body: object) -> None:
    content = json.dumps(body, separators=(",", ":")).encode()
    assert min(seconds_to_refuse(model, content) for _ in range(3)) < REFUSED_WITHIN


def seconds_to_refuse(model: Any, content: bytes) -> float:
    """Of work, less that of collecting what all the tests before left."""
    gc.collect()
    gc.disable()
    try:
        started = time.process_time()
        with pytest.raises(ValidationFailed):
            read_json(model, content)
        return time.process_time() - started
    finally:
        gc.enable()
