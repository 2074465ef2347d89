from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from generated.models import HistoricalMessageV1, InvocationContextV1
from impl.text_reply.prompt import conversation

PICTURE = {"id": str(UUID(int=1)), "type": "image/png", "url": "https://files.example.com/a.png"}


def said(sender: Literal["user", "core", "plugin"], **payload: Any) -> HistoricalMessageV1:
    return HistoricalMessageV1.model_validate(
        {"sender_type": sender, "payload": payload, "created_at": datetime.now(UTC)}
    )


def context(*messages: HistoricalMessageV1, locale: str | None = "en") -> InvocationContextV1:
    return InvocationContextV1(messages=list(messages), locale=locale, metadata={})


def test_history_comes_between_the_instructions_and_the_message() -> None:
    history = (said("user", type="text", text="one"), said("plugin", type="text", text="two"))

    turns = conversation(context(*history), "three")

    assert [(turn.role, turn.content) for turn in turns[1:]] == [
        ("user", "one"),
        ("assistant", "two"),
        ("user", "three"),
    ]
    assert turns[0].role == "system"


def test_the_core_speaks_as_the_assistant_and_commands_are_text() -> None:
    history = (said("core", type="text", text="reset"), said("user", type="command", text="/start"))

    turns = conversation(context(*history), "hello")

    assert [(turn.role, turn.content) for turn in turns[1:3]] == [
        ("assistant", "reset"),
        ("user", "/start"),
    ]


def test_voice_and_pictures_are_left_out() -> None:
    turns = conversation(context(said("user", type="image", attachments=[PICTURE])), "hello")

    assert [turn.role for turn in turns] == ["system", "user"]


def test_the_instructions_say_who_answers_and_in_which_language() -> None:
    instructions = str(conversation(context(locale="pt-BR"), "oi")[0].content)

    assert "text_reply" in instructions
    assert '"pt-BR"' in instructions


def test_without_a_locale_the_user_decides() -> None:
    instructions = str(conversation(context(locale=None), "oi")[0].content)

    assert "in which the user writes" in instructions
