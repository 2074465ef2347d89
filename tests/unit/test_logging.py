"""A line of the log is one line, and shows nothing that a terminal obeys or that nobody sees."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impl.logging import _dumps

OBEYED = ["\n", "\r", "\x00", "\x1b[2J", "\x7f", "\x85", "\x9b2J", "\u200b", "\u200f", "\u2028",
          "\u2029", "\u202e", "\u2066", "\u2069", "\u2060"]  # fmt: skip


@pytest.mark.parametrize("text", OBEYED, ids=ascii)
def test_what_a_terminal_obeys_is_escaped(text: str) -> None:
    line = _dumps({"event": "failed", f"key{text}": [f"a{text}b"]})
    assert line.decode().isprintable()
    assert json.loads(line) == {"event": "failed", f"key{text}": [f"a{text}b"]}


def test_what_people_write_stays_as_it_is() -> None:
    text = "Привет, ¿qué? 你好 😀 … “x”"
    assert (
        _dumps({"event": text})
        == json.dumps({"event": text}, ensure_ascii=False, separators=(",", ":")).encode()
    )


@given(st.text())
def test_nothing_is_changed_by_it(text: str) -> None:
    line = _dumps({"event": text.encode("utf-8", "replace").decode()})
    assert json.loads(line)["event"] == text.encode("utf-8", "replace").decode()
    assert not any(
        ord(character) < 32 or 127 <= ord(character) < 160 for character in line.decode()
    )
