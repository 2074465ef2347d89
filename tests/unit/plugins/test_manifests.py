"""Manifests of every form, as the core thinks of them."""

from typing import Any

import pytest

from generated.errors import ValidationFailed
from impl.plugins.manifests import FORMS, adapt, normal, same
from impl.plugins.manifests.canonical import canonical, manifest_hash

OLD = {"name": "chitchat", "version": "0.9.0", "intents": ["smalltalk", "joke"]}
NEW: dict[str, Any] = {
    "name": "weather",
    "version": "1.0.0",
    "intents": [
        {"tag": "forecast", "activation_condition": {"type": "regex", "value": "^/w"}},
    ],
    "auth": {"type": "bearer"},
    "supported_schema_versions": ["v1alpha"],
}


def refused(raw: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(ValidationFailed) as caught:
        adapt(raw)
    return [(fault.pointer, fault.code) for fault in caught.value.errors]


def test_each_form_is_found_by_its_file() -> None:
    names = [type(form).__module__.rpartition(".")[2] for form in FORMS]
    assert names == ["form_1_1", "form_1_0"]


def test_bare_tags_become_intents_of_the_classifier() -> None:
    adapted = adapt({**OLD, "is_default": True})
    assert adapted.is_fallback
    assert [intent.tag for intent in adapted.manifest.intents] == ["smalltalk", "joke"]
    assert {intent.activation_condition.type for intent in adapted.manifest.intents} == {
        "classifier"
    }
    assert adapted.manifest.auth.scopes == []
    assert adapted.manifest.supported_schema_versions == ["v1alpha"]
    assert not adapt(OLD).is_fallback


def test_a_plugin_without_intents_may_be_of_either_form() -> None:
    none: dict[str, Any] = {**OLD, "intents": []}
    assert adapt({**none, "is_default": True}).is_fallback
    assert not adapt(none).is_fallback
    assert not adapt({**NEW, "intents": []}).is_fallback


@pytest.mark.parametrize(
    ("raw", "faults"),
    [
        (
            {**OLD, "intents": ["ok", "not a tag"]},
            [("/manifest/intents/1", "string_pattern_mismatch")],
        ),
        ({**OLD, "intents": ["ok", NEW["intents"][0]]}, [("/manifest/intents/1", "string_type")]),
        ({**OLD, "is_default": "yes"}, [("/manifest/is_default", "bool_type")]),
        ({**OLD, "priority": 1}, [("/manifest/priority", "extra_forbidden")]),
        ({**NEW, "is_default": True}, [("/manifest/intents/0", "string_type")]),
        ({**NEW, "version": 1}, [("/manifest/version", "string_type")]),
        (
            {key: NEW[key] for key in ("name", "version", "intents")},
            [("/manifest/auth", "missing"), ("/manifest/supported_schema_versions", "missing")],
        ),
        (
            {**NEW, "intents": [{"tag": "a", "activation_condition": {"type": "regex"}}]},
            [("/manifest/intents/0/activation_condition/value", "missing")],
        ),
        ({**NEW, "intents": None}, [("/manifest/intents", "list_type")]),
        ({}, [(f"/manifest/{name}", "missing") for name in ("name", "version", "intents", "auth",
                                                            "supported_schema_versions")]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_one_form(
    raw: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    assert refused(raw) == faults


def test_a_member_left_out_equals_its_default() -> None:
    assert same(NEW, {**NEW, "llm": None, "description": None, "golden_examples": []})
    assert same(OLD, {**OLD, "is_default": False})
    assert not same(OLD, {**OLD, "is_default": True})
    assert not same(NEW, {**NEW, "description": "Other."})
    assert not same(NEW, {"rubbish": True})
    assert normal({"rubbish": True}) is None


def test_null_within_a_schema_is_no_default() -> None:
    one = {**NEW, "output_schema": {"properties": {"text": {"const": None}}}}
    assert not same(one, {**NEW, "output_schema": {"properties": {"text": {}}}})


def test_the_hash_is_of_what_was_sent_whatever_its_order() -> None:
    assert canonical({"b": [1.0, 0.5, "é"], "a": None}) == '{"a":null,"b":[1,0.5,"é"]}'.encode()
    assert manifest_hash(NEW) == manifest_hash(dict(reversed(NEW.items())))
    assert manifest_hash(NEW) != manifest_hash({**NEW, "llm": None})
