"""The stages in their order, and among those that fire the rank, whoever they are of."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from generated import models
from impl.routing.candidate import Candidate
from impl.routing.classifier.port import Classified, Meanings
from impl.routing.decision import Decision
from impl.routing.router import DialogState, Routable, Router
from tests.stack import regex_intent
from tests.unit.routing.tables import (
    Scripted,
    Tables,
    candidate,
    classifier_intent,
    custom_intent,
    decide,
    routed,
    tables,
    text,
)

REPLY = candidate("text_reply", [])


def test_the_first_stage_in_which_something_fires_decides() -> None:
    """However high the priorities of the stages behind it."""
    plugins = [
        REPLY,
        candidate("command", [regex_intent("c", r"^/go\b")]),
        candidate("regex", [regex_intent("r", r"go\b", 1)]),
        candidate("custom", [custom_intent("e", 'payload.text.contains("g")', 2)]),
        candidate("meaning", [classifier_intent("m", priority=3)]),
    ]
    classifier = Scripted({said: [("m", 0.9)] for said in ("/go", "no go", "gone", "out")})
    found = {said: routed(tables(*plugins), said, classifier) for said in (
        "/go", "no go", "gone", "out", "else"
    )}  # fmt: skip
    assert found == {
        "/go": "command command",
        "no go": "regex regex",
        "gone": "custom custom",
        "out": "classifier meaning",
        "else": "fallback text_reply",
    }
    assert classifier.asked == ["out", "else"]  # a rule costs no classifier


@pytest.mark.parametrize(
    ("pattern", "stage"),
    [
        (r"^/weather\b", "command"),
        ("^/weather$", "command"),
        ("(?i)^/WEATHER", "command"),
        (r"^\/weather", "command"),
        ("/weather", "regex"),
        (r"^/weather\s", "regex"),
        ("^/(weather|rain)", "regex"),
        (r"\A/weather", "regex"),
        ("^/", "regex"),
    ],
)
def test_a_command_is_a_literal_at_the_beginning(pattern: str, stage: str) -> None:
    plugin = candidate("weather", [regex_intent("w", pattern)])
    said = "/weather" if pattern.endswith("$") else "/weather Berlin"
    assert routed(tables(plugin), said) == f"{stage} weather"


def test_a_rule_with_a_score_of_one_goes_by_priority_then_health_then_name() -> None:
    def plugins(**changes: tuple[int, str]) -> Tables:
        return tables(
            *(
                candidate(name, [custom_intent("t", "true", priority)], status)
                for name, (priority, status) in changes.items()
            )
        )

    active, degraded = "active", "degraded"
    assert routed(plugins(a=(1, active), b=(2, degraded)), "x") == "custom b"
    assert routed(plugins(a=(2, degraded), b=(2, active)), "x") == "custom b"
    assert routed(plugins(b=(2, active), a=(2, active)), "x") == "custom a"
    assert routed(plugins(a=(2, degraded), b=(2, degraded)), "x") == "custom a"


def meaning(name: str, tag: str = "m", *, bonus: float = 0.0, **intent: Any) -> Candidate:
    plugin = candidate(name, [classifier_intent(tag, **intent)], intent.pop("status", "active"))
    return replace(plugin, sticky_bonus=bonus)


def test_a_confidence_below_the_threshold_does_not_fire() -> None:
    own, default = meaning("own", "o", threshold=0.8), meaning("default", "d")
    source = tables(REPLY, own, default)
    said = Scripted({"a": [("o", 0.79), ("d", 0.49)], "b": [("o", 0.8)], "c": [("d", 0.5)]})
    assert [routed(source, one, said) for one in "abc"] == [
        "fallback text_reply", "classifier own", "classifier default"
    ]  # fmt: skip
    told = decide(source, "a", said).reasons
    assert [(one["intent"], one["score"], one["threshold"], one["fired"])
            for one in told["candidates"]] == [
        ("o", 0.79, 0.8, False), ("d", 0.49, 0.5, False)
    ]  # fmt: skip
    assert told["reason"] == (
        "No rule fits, and the classifier's best, o of own with 0.79, is below its threshold 0.80:"
        " text_reply 1.0.0 answers."
    )


def test_of_two_plugins_with_one_tag_priority_decides_and_a_better_score_beats_it() -> None:
    low, high = meaning("a", priority=1), meaning("b", priority=2)
    better = meaning("c", "other")
    classifier = Scripted({"x": [("m", 0.7)], "y": [("other", 0.8), ("m", 0.7)]})
    assert routed(tables(low, high, better), "x", classifier) == "classifier b"
    assert routed(tables(low, high, better), "y", classifier) == "classifier c"


def test_the_last_plugin_gets_the_bonus_that_it_asks_for() -> None:
    source = tables(REPLY, meaning("sticky", "s", bonus=0.2), meaning("other", "o"))
    said = Scripted({"both": [("o", 0.6), ("s", 0.5)], "low": [("s", 0.35)], "top": [("s", 0.95)]})
    after = DialogState(is_new=False, last_plugin="sticky", seconds_since_last=3.0)
    assert routed(source, "both", said) == "classifier other"
    assert routed(source, "both", said, dialog=after) == "classifier sticky"
    assert routed(source, "low", said) == "fallback text_reply"
    decision = decide(source, "low", said, dialog=after)
    assert decision.reasons["plugin"] == "sticky"
    assert decision.reasons["candidates"][0]["bonus"] == 0.2
    assert "with 0.35 and 0.20 more as the dialog's last plugin" in decision.reasons["reason"]
    another = replace(after, last_plugin="other")
    assert routed(source, "low", said, dialog=another) == "fallback text_reply"
    assert decide(source, "top", said, dialog=after).reasons["candidates"][0]["score"] == 0.95


def test_a_sum_counts_as_one_at_most() -> None:
    sure, sticky = meaning("sure", "a", priority=1), meaning("sticky", "b", bonus=0.9)
    after = DialogState(is_new=False, last_plugin="sticky", seconds_since_last=1.0)
    said = Scripted({"x": [("a", 1.0), ("b", 0.6)]})
    assert routed(tables(sure, sticky), "x", said, dialog=after) == "classifier sure"


@pytest.mark.parametrize("kind", ["voice", "image", "command"])
def test_the_classifier_is_asked_for_text_alone(kind: str) -> None:
    file = {"id": "5a4b3c2d-1e0f-4a9b-8c7d-6e5f4a3b2c1d", "type": "a", "url": "http://x.y/z"}
    payloads: dict[str, Any] = {
        "voice": models.VoicePayloadV1.model_validate({"type": "voice", "attachments": [file]}),
        "image": models.ImagePayloadV1.model_validate({"type": "image", "attachments": [file]}),
        "command": models.CommandPayloadV1(type="command", text="/m"),
    }
    classifier = Scripted({"/m": [("m", 0.9)]})
    decision = decide(tables(REPLY, meaning("a")), payloads[kind], classifier)
    assert (decision.reasons["stage"], classifier.asked) == ("fallback", [])
    assert decision.reasons["classifier"] is None


def test_without_intents_of_its_own_the_classifier_is_not_asked() -> None:
    classifier = Scripted()
    assert routed(tables(REPLY), "x", classifier) == "fallback text_reply"
    assert classifier.asked == []


class Failing:
    """A classifier that breaks its promises."""

    def __init__(self, how: str) -> None:
        self.how = how

    async def classify(self, _text: str, meanings: Meanings) -> Classified | None:
        if self.how == "raises":
            raise RuntimeError("out of order")
        if self.how == "hangs":
            await asyncio.Event().wait()
        scores = [("gone", 0.99), ("m", 7.0), ("m", -1.0)] if self.how == "rubbish" else []
        return Classified(scores, "bad\nname", "", "") if self.how == "rubbish" else None


@pytest.mark.parametrize(
    ("how", "stage", "failure"),
    [
        ("raises", "fallback", "failed"),
        ("hangs", "fallback", "timeout"),
        ("gives up", "fallback", "no model yet"),
        ("rubbish", "classifier", None),
    ],
)
def test_a_classifier_that_fails_is_an_explained_fallback(
    how: str, stage: str, failure: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("impl.routing.router.CLASSIFIER_SECONDS", 0.01)
    reasons = decide(tables(REPLY, meaning("a")), "x", Failing(how)).reasons
    assert (reasons["stage"], reasons["classifier"]["fallback"]) == (stage, failure)
    if failure:
        assert f"the classifier gave no answer ({failure})" in reasons["reason"]


async def test_a_plugin_that_leaves_while_the_classifier_thinks_is_masked() -> None:
    source = tables(REPLY, meaning("leaving"))

    class Slow(Scripted):
        async def classify(self, said: str, meanings: Meanings) -> Classified | None:
            source.now = tables(REPLY).now
            return await super().classify(said, meanings)

    decision = await Router(source, Slow({"x": [("m", 0.99)]})).route(Routable(text("x")))
    assert isinstance(decision, Decision)
    assert decision.plugin.name == "text_reply"
    assert decision.reasons["candidates"] == []


def test_where_nobody_can_answer_the_reason_says_so() -> None:
    reasons = decide(tables(candidate("a", [regex_intent("r", "go")])), "x").reasons
    assert (reasons["stage"], reasons["plugin_id"]) == ("none", None)
    assert reasons["reason"] == "No rule fits: nobody is there to answer."


def test_a_decision_is_bounded_and_holds_no_word_of_the_message() -> None:
    plugins = [
        candidate("p" * 60 + str(number), [regex_intent(f"t{number}", "secret")])
        for number in range(100, 150)
    ]
    reasons = decide(tables(*plugins), "my secret word", metadata={"hidden": "value"}).reasons
    assert len(reasons["candidates"]) == 20
    assert "49 more fired of the same rank" in reasons["reason"]
    assert not {"my", "word", "hidden", "value"} & set(str(reasons).replace("'", " ").split())


@pytest.mark.parametrize(
    "said",
    ["a" * 4096, "💥" * 4096, "שלום עולם", "مرحبا weather привет", "🙂", "\u202e/go", " ", "\n\t"],
    ids=["one letter", "emoji only", "hebrew", "mixed", "one emoji", "override", "blank", "breaks"],
)
def test_any_text_is_decided(said: str) -> None:
    plugins = [REPLY, candidate("a", [
        regex_intent("r", r"(?i)^/go\b"), custom_intent("c", 'payload.text.startsWith("#")'),
        classifier_intent("m"),
    ])]  # fmt: skip
    assert routed(tables(*plugins), said, Scripted()) == "fallback text_reply"
