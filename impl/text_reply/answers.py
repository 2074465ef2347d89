"""What the user is told."""

import re
from dataclasses import dataclass

import structlog

from generated.models import (
    CommandPayloadV1,
    LLMUsageV1,
    PluginInvocationRequestV1,
    TextPayloadV1,
)
from impl.llm.errors import LLMError
from impl.llm.router import LLMRouter
from impl.llm.sentences import MODEL_UNAVAILABLE, Language, language_of
from impl.text_reply.figures import Figures
from impl.text_reply.outage import Outage
from impl.text_reply.prompt import conversation
from impl.text_reply.sentences import NO_MODEL, TEXT_ONLY

log = structlog.get_logger()

# The API gives no confidence. These rank a model's answer above a sentence that only excuses us.
BY_MODEL = 0.8
PREPARED = 0.1
# Of the core's deadline; the rest is for the way back.
SHARE_OF_DEADLINE = 0.9
MAX_TEXT = 4096
_FORBIDDEN = re.compile(r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]")


def presentable(text: str) -> str:
    """`text` as the contract's `Text` admits it, or nothing."""
    return _FORBIDDEN.sub("", text).strip()[:MAX_TEXT]


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    confidence: float = PREPARED
    usage: LLMUsageV1 | None = None


class Answerer:
    def __init__(
        self, model: LLMRouter | None, *, seconds: float, figures: Figures, outage: Outage
    ) -> None:
        """`seconds` is how long a model may take at most, all its attempts together."""
        self._model = model
        self._seconds = seconds
        self._figures = figures
        self._outage = outage

    async def answer(self, request: PluginInvocationRequestV1, milliseconds: int) -> Answer:
        """`milliseconds` is what is left of the core's deadline."""
        with self._figures.answering():
            language = language_of(request.context.locale)
            if not isinstance(request.payload, TextPayloadV1 | CommandPayloadV1):
                return Answer(TEXT_ONLY[language])
            if self._model is None:
                return Answer(NO_MODEL[language])
            try:
                return await self._ask(
                    self._model, request, request.payload.text, language, milliseconds
                )
            except LLMError as error:
                self._figures.model_failed()
                self._outage.failed(error.reason)
                log.warning("model_unavailable", reason=error.reason)
                return Answer(MODEL_UNAVAILABLE[language])

    async def _ask(
        self,
        model: LLMRouter,
        request: PluginInvocationRequestV1,
        text: str,
        language: Language,
        milliseconds: int,
    ) -> Answer:
        deadline = milliseconds / 1000 * SHARE_OF_DEADLINE
        said = await model.invoke(
            conversation(request.context, text),
            subsystem="text_reply",
            language=language,
            seconds=min(self._seconds, deadline),
        )
        shown = presentable(said.text)
        if not shown:
            raise LLMError("invalid_answer", "openai", reason="empty_answer")
        self._outage.answered()
        return Answer(shown, BY_MODEL, said.cost.usage)
