"""Run by pytest, in this folder."""

import asyncio

import pytest
from plugin import answer
from serving.server import Call


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ("/plugin-name hello", "You said: hello"),
        ("/plugin-name hello".upper(), "You said: HELLO"),
        ("/plugin-name", "Write something"),
    ],
)
def test_it_says_what_was_said(said: str, answered: str) -> None:
    call = Call({"payload": {"type": "text", "text": said}, "dry_run": False})
    assert asyncio.run(answer(call))["text"].startswith(answered)
