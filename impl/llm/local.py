"""The provider `local`: what can be answered without a model and without a network."""

from collections.abc import Sequence

from generated.models import LLMProvider
from impl.llm.errors import LLMError
from impl.llm.port import Choice, Code, Completion, Turn
from impl.llm.sentences import MODEL_UNAVAILABLE, Language
from impl.routing.classifier.port import Classifier, Meanings


class LocalClient:
    """An LLMClient. `classifier` is who classifies; without one no tag is ever found."""

    provider: LLMProvider = "local"
    model = "none"

    def __init__(self, classifier: Classifier | None = None) -> None:
        self._classifier = classifier

    async def invoke(
        self, turns: Sequence[Turn], *, language: Language = "en", seconds: float | None = None
    ) -> Completion:
        """A prepared sentence."""
        return Completion(MODEL_UNAVAILABLE[language])

    async def classify(
        self, text: str, meanings: Meanings, *, seconds: float | None = None
    ) -> Choice:
        said = self._classifier and await self._classifier.classify(text, meanings)
        if not said:
            return Choice(None, 0.0, self.provider)
        tag, confidence = next(iter(said.scores), (None, 0.0))
        return Choice(tag, confidence, self.provider, classified=said)

    async def generate_code(
        self, task: str, language: str, *, seconds: float | None = None
    ) -> Code:
        raise LLMError("not_supported", self.provider)

    async def health(self, *, seconds: float | None = None) -> None:
        """Always up."""

    async def close(self) -> None:
        """It holds nothing open."""
