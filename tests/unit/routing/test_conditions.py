"""The language of conditions: what it says, what it refuses, and what it may cost."""

import sys
import time
from typing import Any

import pytest

from generated import models
from impl.routing.conditions import MAX_COST, ConditionError, compile_condition
from impl.routing.router import DialogState, Routable

FILE = {"id": "5a4b3c2d-1e0f-4a9b-8c7d-6e5f4a3b2c1d", "type": "image/png", "url": "http://x.y/z"}
METADATA: dict[str, Any] = {"source": "telegram", "build": 12, "beta": True, "zone": None}


def message(said: str = "hello", **changes: Any) -> Routable:
    payload = models.TextPayloadV1.model_validate(
        {"type": "text", "text": said, "attachments": [FILE]}
    )
    dialog = DialogState(is_new=False, last_plugin="weather", seconds_since_last=12.5)
    values: dict[str, Any] = {
        "payload": payload, "metadata": METADATA, "locale": "pt-BR", "dialog": dialog
    }  # fmt: skip
    return Routable(**{**values, **changes})


def holds(expression: str, routable: Routable | None = None) -> bool:
    return compile_condition(expression).holds((routable or message()).facts)


@pytest.mark.parametrize(
    "expression",
    [
        'payload.type == "text" && payload.text == "hello"',
        'payload.text.contains("ell") && payload.text.startsWith("h")',
        "size(payload.text) == 5",
        'payload.attachments.exists(file, file.type.startsWith("image/"))',
        'payload.attachments.all(file, file.url.endsWith("z"))',
        "size(payload.attachments) == 1",
        'metadata.source in ["telegram", "web"]',
        'has(metadata.build) && metadata.build >= 12 && metadata["build"] < 12.5',
        "metadata.beta",
        "metadata.zone == null",
        'locale.startsWith("pt")',
        '!dialog.is_new && dialog.last_plugin == "weather" && dialog.seconds_since_last < 60',
        'metadata.nothing == 1 || locale == "pt-BR"',
        'true ? locale == "pt-BR" : false',
    ],
)
def test_it_says_what_a_message_is(expression: str) -> None:
    assert holds(expression)
    assert not holds(f"!({expression})")


@pytest.mark.parametrize(
    "expression",
    [
        "metadata.nothing == 1",
        "!(metadata.nothing == 1)",
        "metadata.source",
        "metadata.build",
        "metadata.source > 1",
        "locale.size() > metadata.zone",
        "payload.attachments[7].type == 'x'",
        "metadata.build / 0 == 1",
        "int(metadata.source) == 1",
        "9223372036854775807 * metadata.build == 1",
    ],
)
def test_what_fails_or_is_no_truth_does_not_fire(expression: str) -> None:
    assert not holds(expression)


def test_a_null_costs_no_reference_to_it() -> None:
    """The library's own fault; once there are none left, Python before 3.12 aborts."""
    facts = message().facts
    conditions = [compile_condition(one) for one in ("metadata.zone", "dyn(null)")]
    before = sys.getrefcount(None)
    for _ in range(2000):
        assert not any(condition.holds(facts) for condition in conditions)
    assert sys.getrefcount(None) > before - 1000


def test_what_a_message_lacks_is_empty() -> None:
    voice: Any = models.VoicePayloadV1.model_validate({"type": "voice", "attachments": [FILE]})
    first = Routable(voice)
    assert holds('payload.type == "voice" && payload.text == "" && locale == ""', first)
    assert holds('dialog.is_new && dialog.last_plugin == ""', first)
    assert not holds("dialog.seconds_since_last < 60", first)
    assert holds("dialog.is_new || dialog.seconds_since_last > 60", first)


REFUSED = {
    "no expression": ("payload.text ==", "Line 1, column 16: Not an expression of CEL"),
    "a variable that is none": ("true &&\n user == 1", "Line 2, column 2: Unknown here"),
    "a function that is none": ("now() > 1", "Line 1, column 4: Unknown here"),
    "a member that no message has": ("payload.txt == ''", "payload or dialog has no such member"),
    "a state that there is not": ("dialog.mood == 1", "payload or dialog has no such member"),
    "a text": ("'yes'", "Its value is never true or false"),
    "a number": ("1 - 1", "Its value is never true or false"),
    "types that do not fit": ("'a' < 1", "Line 1, column 5: No operator or function takes"),
    "half a character": (r"'\ud800' == ''", "Line 1, column 1: A string with"),
    "too deep": ("(" * 60 + "true" + ")" * 60, "It is nested too deeply"),
    "texts that grow": ("payload.text + payload.text == ''", "Unknown here"),
    "lists that grow": ("[1].map(a, a) == [1]", "Unknown here"),
    "a filter": ("[1].filter(a, a == 1) == [1]", "Unknown here"),
    "a pattern": ("payload.text.matches('(a{1000})')", "Unknown here"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused_with_its_place(name: str) -> None:
    expression, message = REFUSED[name]
    with pytest.raises(ConditionError) as refused:
        compile_condition(expression)
    assert refused.value.code == "condition_invalid"
    assert message in str(refused.value)


ELEMENTS = "[" + ",".join("1" * 300) + "]"


@pytest.mark.parametrize(
    "expression",
    [
        "metadata.all(a, metadata.all(b, true))",
        "metadata.all(a, [metadata].exists(b, true))",
        "[[1].all(a, true)].exists(b, b)",
        f"{ELEMENTS}.all(a, payload.text.contains('x'))",
        "metadata.all(a, " + "&&".join(["payload.text.contains(metadata.k)"] * 20) + ")",
    ],
)
def test_what_could_hold_up_the_routing_is_refused(expression: str) -> None:
    with pytest.raises(ConditionError) as refused:
        compile_condition(expression)
    assert refused.value.code == "condition_too_costly"


@pytest.mark.parametrize(
    "expression",
    [
        "metadata.all(k, !payload.text.contains(metadata[k]))",
        f"{ELEMENTS}.all(a, payload.text != 'x')",
        "!(" + "||".join(["payload.text.contains(metadata.k00)"] * 25) + ")",
        "size(payload.text) > 1 && " + "&&".join(["size(payload.text) > 1"] * 30),
    ],
)
def test_what_is_taken_costs_no_more_than_it_says(expression: str) -> None:
    """On the worst message; the bound is of two busy cores, so CPU well below it is no luck."""
    worst = {f"k{number:02}": "💥" * 255 + "x" for number in range(20)}
    facts = message("💥" * 4096, metadata=worst).facts
    condition = compile_condition(expression)
    assert condition.cost <= MAX_COST
    started = time.thread_time()
    for _ in range(5):
        assert condition.holds(facts)
    assert (time.thread_time() - started) / 5 * 1e6 < max(condition.cost, 500)


def test_the_members_of_an_element_are_its_own() -> None:
    """Only payload and dialog have members that are known before."""
    compile_condition("payload.attachments.exists(file, file.anything == 1)")
    compile_condition('payload.attachments[0].anything == "x"')
