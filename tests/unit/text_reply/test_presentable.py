import pytest
from pydantic import TypeAdapter

from generated.models import Text
from impl.text_reply.answers import MAX_TEXT, presentable


@pytest.mark.parametrize(
    "text",
    ["a\x00b\x07c\x7f", "x" * (MAX_TEXT + 1), "  \n tab\tand line \r\n", "😀" * 5000],
)
def test_every_text_becomes_one_that_the_contract_admits(text: str) -> None:
    TypeAdapter(Text).validate_python(presentable(text))


def test_what_may_be_shown_is_kept() -> None:
    assert presentable(" one\ttwo\nthree \x0b") == "one\ttwo\nthree"


@pytest.mark.parametrize("text", ["", "  \n", "\x00\x01"])
def test_nothing_to_show_is_nothing(text: str) -> None:
    assert presentable(text) == ""
