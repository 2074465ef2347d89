"""What the model is asked."""

from generated.models import (
    CommandPayloadV1,
    HistoricalMessageV1,
    InvocationContextV1,
    TextPayloadV1,
)
from impl.llm.port import Turn

WHO = (
    "You are text_reply, the assistant of a chat bot. Answer the user's last message in plain "
    "text without markup, in a few short paragraphs at most. Say so when you do not know."
)


def conversation(context: InvocationContextV1, text: str) -> list[Turn]:
    """The instructions, the dialog's history, and the message to answer."""
    turns = [Turn("system", f"{WHO} {_language(context.locale)}")]
    turns += [turn for message in context.messages if (turn := _turn(message)) is not None]
    turns.append(Turn("user", text))
    return turns


def _language(locale: str | None) -> str:
    # The contract's pattern leaves a locale no room for instructions of its own.
    wanted = "in which the user writes" if locale is None else f'of the locale "{locale}"'
    return f"Answer in the language {wanted}."


def _turn(message: HistoricalMessageV1) -> Turn | None:
    if not isinstance(message.payload, TextPayloadV1 | CommandPayloadV1):
        return None
    from_user = message.sender_type == "user"
    return Turn("user" if from_user else "assistant", message.payload.text)
