"""What a provider of language models does, whoever it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from generated.models import LLMProvider, LLMUsageV1
from impl.llm.sentences import Language
from impl.routing.classifier.port import Classified, Meanings

Operation = Literal["invoke", "classify", "generate_code", "health"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Cost:
    """`usage` is None where the server counts not at all, or oddly; `characters` were exchanged."""

    usage: LLMUsageV1 | None = None
    characters: int = 0


FREE = Cost()


@dataclass(frozen=True, slots=True)
class Completion:
    text: str
    cost: Cost = FREE


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the permitted tags, or none; `confidence` is 0 to 1, the model's own word.

    `classified` is what a classifier said in full, where one answered instead of a model.
    """

    tag: str | None
    confidence: float
    provider: LLMProvider
    cost: Cost = FREE
    classified: Classified | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """Nothing but code, in the language that was asked for."""

    code: str
    language: str
    cost: Cost = FREE


class LLMClient(Protocol):
    """All calls raise LLMError, within `seconds` where given, else within the operation's own."""

    @property
    def provider(self) -> LLMProvider: ...

    @property
    def model(self) -> str: ...

    async def invoke(
        self, turns: Sequence[Turn], *, language: Language = "en", seconds: float | None = None
    ) -> Completion:
        """The next turn. `language` is that of a prepared sentence, where no model speaks."""
        ...

    async def classify(
        self, text: str, meanings: Meanings, *, seconds: float | None = None
    ) -> Choice:
        """Which of `meanings` the text has. Never a tag that is not among them."""
        ...

    async def generate_code(
        self, task: str, language: str, *, seconds: float | None = None
    ) -> Code: ...

    async def health(self, *, seconds: float | None = None) -> None:
        """Raises LLMError where it is away."""
        ...

    async def close(self) -> None: ...
