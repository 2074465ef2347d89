"""The messages as the tools read them."""

from tools.bundler import bundle
from tools.contract import properties
from tools.events import Message, messages

DOCUMENT = bundle("events.asyncapi.yaml")


def found(name: str) -> Message:
    return next(message for message in messages(DOCUMENT) if message.name == name)


def test_a_later_part_narrows_an_earlier() -> None:
    parts = [
        {"properties": {"one": {"type": "string"}, "two": {"$ref": "#/x"}, "three": {}}},
        {"properties": {"one": {"const": "1"}, "two": {"type": "null"}}},
    ]
    assert properties({}, {"allOf": parts}) == {
        "one": {"type": "string", "const": "1"},
        "two": {"type": "null"},
        "three": {},
    }


def test_a_message_has_its_channels_stream() -> None:
    assert found("plugin_failed").stream["key"] == "plugin:invocations:{plugin_id}"


def test_the_envelope_is_narrowed_by_what_the_message_fixes() -> None:
    message = found("plugin_timeout")
    assert message.fixed == {
        "event_type": "plugin_timeout",
        "source": "core",
        "severity": "warning",
    }
    assert message.envelope["source"]["enum"] == ["core", "plugin"]
    assert "severity" not in found("plugin_failed").fixed


def test_a_call_is_told_without_what_was_said() -> None:
    message = found("plugin_invocation_completed")
    assert message.empty == ["request_payload", "response_payload"]
    assert message.required == set(message.members)
