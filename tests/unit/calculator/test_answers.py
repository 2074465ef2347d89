"""The calculator as a plugin: what of a message is calculated, in which language, its intents."""

import json
from pathlib import Path
from typing import Any

import calculation
import plugin
import pytest
import re2
import sentences
from serving.server import Call
from units import SYMBOLS

MANIFEST = json.loads((Path(plugin.__file__).parent / "manifest.json").read_text())


def call(text: str | None, locale: str | None = "en") -> Call:
    payload: dict[str, Any] = {"type": "voice"} if text is None else {"type": "text", "text": text}
    return Call({"payload": payload, "context": {"locale": locale}, "dry_run": True})


@pytest.mark.parametrize(
    ("text", "locale", "answered"),
    [
        ("2 km in m", "en", "2000 m"),
        ("/calc 1/4", "en", "0.25"),
        ("/CALC 1/4 =", "en", "0.25"),
        ("/calc 1/4", "ru-RU", "0,25"),
        ("How many metres are in 2 kilometres?", "en", "2000 m"),
        ("How many metres is 2 km?", "en", "2000 m"),
        ("Сколько метров в 2 километрах?", "ru", sentences.RUSSIAN["no_unit"].format("километрах")),
        ("What is 70 F in C?", "en", "≈ 21.1111111111 °C"),
        ("/calc", "en", sentences.ENGLISH["help"]),
        ("/calc", "ru", sentences.RUSSIAN["help"]),
        ("hello", None, sentences.ENGLISH["help"]),
        (None, "en", sentences.ENGLISH["help"]),
        ("/calc 1/0", "ru", sentences.RUSSIAN["by_zero"]),
        ("/calc 3 apples", "de", sentences.ENGLISH["no_unit"].format("apples")),
    ],
)
async def test_it_answers(text: str | None, locale: str | None, answered: str) -> None:
    assert (await plugin.answer(call(text, locale)))["text"] == answered


def test_each_reason_has_a_sentence_in_both_languages() -> None:
    assert sentences.ENGLISH.keys() == sentences.RUSSIAN.keys()
    raised = set(re2.findall(r'CalculationError\("(\w+)"', Path(calculation.__file__).read_text()))
    assert raised == sentences.ENGLISH.keys() - {"help"}


PATTERNS = {
    intent["tag"]: intent["activation_condition"]["value"]
    for intent in MANIFEST["intents"]
    if intent["activation_condition"]["type"] == "regex"
}


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("/calc 2+2", "command"),
        ("2 km in m", "conversion"),
        ("20 °C to °F", "conversion"),
        ("1,5 кг в г", "conversion"),
        ("2+2", "arithmetic"),
        ("5 km + 300 m", "arithmetic"),
        ("(3 + 4) * 2", "arithmetic"),
        ("/calculate", None),
        ("2 apples in m", None),
        ("2026-11-27", None),
        ("8-800-555-35-35", None),
        ("see you at 5", None),
    ],
)
def test_its_patterns_take_what_is_its_own(text: str, tag: str | None) -> None:
    found = [name for name, pattern in PATTERNS.items() if re2.search(pattern, text)]
    assert found == ([] if tag is None else [tag])


def test_its_patterns_know_the_units() -> None:
    for tag in ("conversion", "arithmetic"):
        assert f"(?:{'|'.join(SYMBOLS)})" in PATTERNS[tag]
