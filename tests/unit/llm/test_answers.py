"""What of an answer is believed, and nothing else."""

import json
from typing import Any

import pytest

from impl.llm.answers import (
    RefusedError,
    Said,
    UnusableError,
    read_choice,
    read_code,
    read_completion,
)

TAGS = frozenset({"weather", "time"})


def completion(content: object, **more: Any) -> bytes:
    return json.dumps({"choices": [{"message": {"content": content}}], **more}).encode()


def said(value: object) -> Said:
    return Said(value if isinstance(value, str) else json.dumps(value), None)


@pytest.mark.parametrize("content", ["", "  \n"])
def test_nothing_said_is_no_answer(content: str) -> None:
    with pytest.raises(UnusableError, match="empty_answer"):
        read_completion(completion(content), "model")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"choices": null}',
        b'{"choices": []}',
        b'{"choices": [{"message": null}]}',
        completion(None),
        completion(7),
        completion("half of an emoji: \ud83d"),
    ],
    ids=range(10),
)
def test_rubbish_is_no_answer(content: bytes) -> None:
    with pytest.raises(UnusableError, match="unreadable_answer"):
        read_completion(content, "model")


@pytest.mark.parametrize(
    "choice",
    [
        {"message": {"content": None, "refusal": "I will not."}},
        {"message": {"content": "Half of"}, "finish_reason": "content_filter"},
    ],
    ids=["refusal", "filter"],
)
def test_a_model_that_will_not_is_told_apart(choice: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        read_completion(json.dumps({"choices": [choice]}).encode(), "model")


def test_usage_is_the_contracts() -> None:
    counted = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}

    usage = read_completion(completion("hi", usage=counted), "llama3").usage

    assert usage is not None
    assert usage.model_dump() == {**counted, "provider": "openai", "model": "llama3"} | {
        "cost_usd": None
    }


def test_a_missing_total_is_the_sum() -> None:
    counted = {"prompt_tokens": 3, "completion_tokens": 4}

    usage = read_completion(completion("hi", usage=counted), "llama3").usage

    assert usage is not None
    assert usage.total_tokens == 7


@pytest.mark.parametrize(
    "counted",
    [None, {}, "much", 7, {"prompt_tokens": -1, "completion_tokens": 1}, [1]],
    ids=range(6),
)
def test_an_odd_count_costs_no_answer(counted: object) -> None:
    found = read_completion(completion("hi", usage=counted), "llama3")

    assert (found.text, found.usage) == ("hi", None)


def test_an_unusable_answer_tells_what_it_cost() -> None:
    counted = {"prompt_tokens": 3, "completion_tokens": 4}
    with pytest.raises(UnusableError) as unusable:
        read_completion(completion(None, usage=counted), "llama3")
    assert unusable.value.usage is not None
    assert unusable.value.usage.total_tokens == 7


@pytest.mark.parametrize(
    ("value", "choice"),
    [
        ({"tag": "weather", "confidence": 0.5}, ("weather", 0.5)),
        ({"tag": "time", "confidence": 1}, ("time", 1.0)),
        ({"tag": None, "confidence": 0}, (None, 0.0)),
        ({"tag": "time", "confidence": 0.1, "why": "it says so"}, ("time", 0.1)),
    ],
    ids=["tag", "whole", "none", "more"],
)
def test_a_permitted_tag_or_none_is_a_choice(value: object, choice: object) -> None:
    assert read_choice(said(value), TAGS) == choice


@pytest.mark.parametrize(
    "value",
    [
        "weather",
        '"weather"',
        "",
        "null",
        "[]",
        '{"tag": "weather", "confidence": 0.5} and so on',
        '```json\n{"tag": "weather", "confidence": 0.5}\n```',
        '{"tag": "time", "tag": "weather", "confidence": 0.5}',
        '{"tag": "weather", "confidence": NaN}',
        '{"tag": "weather", "confidence": 1e999}',
        {"tag": "admin", "confidence": 1},
        {"tag": "Weather", "confidence": 1},
        {"tag": " weather", "confidence": 1},
        {"tag": "weather\u200b", "confidence": 1},
        {"tag": ["weather"], "confidence": 1},
        {"tag": {"name": "weather"}, "confidence": 1},
        {"tag": 0, "confidence": 1},
        {"tag": True, "confidence": 1},
        {"confidence": 1},
        {"tag": "weather"},
        {"tag": "weather", "confidence": "0.9"},
        {"tag": "weather", "confidence": True},
        {"tag": "weather", "confidence": None},
        {"tag": "weather", "confidence": 1.01},
        {"tag": "weather", "confidence": -0.01},
        {"tag": "weather", "confidence": 95},
        {"tag": "weather", "confidence": 1, "more": list(range(100))},
    ],
    ids=range(27),
)
def test_anything_else_is_none(value: object) -> None:
    with pytest.raises(UnusableError):
        read_choice(said(value), TAGS)


@pytest.mark.parametrize(
    ("code", "bare"),
    [
        ("print(1)\n", "print(1)\n"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("\n```\na\n\nb\n```\n", "a\n\nb"),
    ],
    ids=["bare", "fenced", "fenced without a language"],
)
def test_code_is_bare(code: str, bare: str) -> None:
    assert read_code(said({"code": code})) == bare


@pytest.mark.parametrize(
    "value",
    ["print(1)", {}, {"code": None}, {"code": " \n"}, {"code": "```\n\n```"}, {"code": 1}],
    ids=range(6),
)
def test_chatter_is_no_code(value: object) -> None:
    with pytest.raises(UnusableError):
        read_code(said(value))
