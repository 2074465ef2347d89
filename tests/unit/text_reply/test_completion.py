import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from generated.models import Text
from impl.text_reply.model import MAX_TEXT, ModelUnavailableError, presentable, read_completion


def completion(content: object, **more: Any) -> bytes:
    return json.dumps({"choices": [{"message": {"content": content}}], **more}).encode()


@pytest.mark.parametrize(
    "text",
    ["a\x00b\x07c\x7f", "x" * (MAX_TEXT + 1), "  \n tab\tand line \r\n", "😀" * 5000],
)
def test_every_text_becomes_one_that_the_contract_admits(text: str) -> None:
    TypeAdapter(Text).validate_python(presentable(text))


def test_what_may_be_shown_is_kept() -> None:
    assert presentable(" one\ttwo\nthree \x0b") == "one\ttwo\nthree"


@pytest.mark.parametrize("content", ["", "  \n", "\x00\x01"])
def test_nothing_to_show_is_no_answer(content: Any) -> None:
    with pytest.raises(ModelUnavailableError, match="empty_answer"):
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
)
def test_rubbish_is_no_answer(content: Any) -> None:
    with pytest.raises(ModelUnavailableError, match="unreadable_answer"):
        read_completion(content, "model")


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
    "counted", [None, {}, "much", 7, {"prompt_tokens": -1, "completion_tokens": 1}, [1]]
)
def test_an_odd_count_costs_no_answer(counted: object) -> None:
    reply = read_completion(completion("hi", usage=counted), "llama3")

    assert reply.text == "hi"
    assert reply.usage is None
