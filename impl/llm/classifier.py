"""A model as the router's classifier: in time, or another one answers, and says why."""

import asyncio
from dataclasses import replace

import structlog

from impl.llm.errors import LLMError
from impl.llm.port import Choice
from impl.llm.router import LLMRouter
from impl.logging import described
from impl.overload.load import elsewhere
from impl.routing.classifier.port import Classified, Classifier, Meanings

log = structlog.get_logger()

NAME = "llm"


class LLMClassifier:
    """A Classifier. `instead` answers where no model does, within its own time."""

    def __init__(self, llm: LLMRouter, instead: Classifier | None, seconds: float) -> None:
        self._llm = llm
        self._instead = instead
        self._seconds = seconds

    async def classify(self, text: str, meanings: Meanings) -> Classified | None:
        if not meanings.tags:
            return Classified((), NAME, self._llm.model, meanings.version)
        try:
            choice = await self._ask(text, meanings)
        except LLMError as error:
            return await self._by_another(text, meanings, error.code)
        except Exception as error:  # noqa: BLE001  # a mistake of ours costs no message its answer
            log.error("llm_classifier_failed", **described(error))  # noqa: TRY400  # nor its words
            return await self._by_another(text, meanings, "failed")
        if choice.provider == "local":
            return self._explained(choice.classified, meanings, "unavailable")
        return self._by_model(choice, meanings)

    async def _ask(self, text: str, meanings: Meanings) -> Choice:
        """The time holds for all that a call is: Redis, others' calls that it joins, retries."""
        try:
            with elsewhere():
                async with asyncio.timeout(self._seconds):
                    return await self._llm.classify(
                        text, meanings, subsystem="routing", seconds=self._seconds
                    )
        except TimeoutError:
            raise LLMError("timeout", "openai") from None

    def _by_model(self, choice: Choice, meanings: Meanings) -> Classified:
        permitted = choice.tag is not None and choice.tag in meanings.tags
        scores = [(choice.tag, choice.confidence)] if permitted and choice.tag else []
        return Classified(scores, NAME, self._llm.model, meanings.version)

    async def _by_another(self, text: str, meanings: Meanings, why: str) -> Classified:
        said = await self._instead.classify(text, meanings) if self._instead else None
        return self._explained(said, meanings, why)

    def _explained(self, said: Classified | None, meanings: Meanings, why: str) -> Classified:
        """Nobody else there, or nobody who knows: then no tag fits, and it says why."""
        told = said or Classified((), NAME, self._llm.model, meanings.version)
        return replace(told, fallback=f"llm: {why}")
