"""What the user is told."""

from dataclasses import dataclass

import structlog

from generated.models import (
    CommandPayloadV1,
    LLMUsageV1,
    PluginInvocationRequestV1,
    TextPayloadV1,
)
from impl.text_reply.figures import Figures
from impl.text_reply.model import Model, ModelUnavailableError
from impl.text_reply.outage import Outage
from impl.text_reply.prompt import conversation
from impl.text_reply.sentences import MODEL_UNAVAILABLE, NO_MODEL, TEXT_ONLY, language_of

log = structlog.get_logger()

# The API gives no confidence. These rank a model's answer above a sentence that only excuses us.
BY_MODEL = 0.8
PREPARED = 0.1
# Of the core's deadline; the rest is for the way back.
SHARE_OF_DEADLINE = 0.9


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    confidence: float = PREPARED
    usage: LLMUsageV1 | None = None


class Answerer:
    def __init__(
        self, model: Model | None, *, seconds: float, figures: Figures, outage: Outage
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
                return await self._ask(self._model, request, request.payload.text, milliseconds)
            except ModelUnavailableError as error:
                self._figures.model_failed()
                self._outage.failed(error.reason)
                log.warning("model_unavailable", reason=error.reason)
                return Answer(MODEL_UNAVAILABLE[language])

    async def _ask(
        self, model: Model, request: PluginInvocationRequestV1, text: str, milliseconds: int
    ) -> Answer:
        deadline = milliseconds / 1000 * SHARE_OF_DEADLINE
        turns = conversation(request.context, text)
        reply = await model.reply(turns, min(self._seconds, deadline))
        self._outage.answered()
        return Answer(reply.text, BY_MODEL, reply.usage)
