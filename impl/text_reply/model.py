"""A language model as this plugin needs it, and how its answer becomes the contract's."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, Field, ValidationError

from generated.models import LLMUsageV1

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

MAX_TEXT = 4096
_FORBIDDEN = re.compile(r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]")


class ModelUnavailableError(Exception):
    """The model gave no answer to show; the reason is for the log, and holds no text of anyone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ModelReply:
    text: str
    usage: LLMUsageV1 | None


class Model(Protocol):
    async def reply(self, turns: list["ChatCompletionMessageParam"], seconds: float) -> ModelReply:
        """Answer within `seconds`. Raises ModelUnavailableError."""
        ...

    async def close(self) -> None: ...


class _Message(BaseModel):
    content: str


class _Choice(BaseModel):
    message: _Message


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: Any = None


def read_completion(content: bytes, model: str) -> ModelReply:
    """Raises ModelUnavailableError where there is no text in it.

    Read here, because the client builds its own objects without a check.
    """
    try:
        completion = _Completion.model_validate_json(content)
    except ValidationError:
        raise ModelUnavailableError("unreadable_answer") from None
    text = presentable(completion.choices[0].message.content)
    if not text:
        raise ModelUnavailableError("empty_answer")
    return ModelReply(text, _usage(completion.usage, model))


def presentable(text: str) -> str:
    """`text` as the contract's `Text` admits it, or nothing."""
    return _FORBIDDEN.sub("", text).strip()[:MAX_TEXT]


def _usage(raw: Any, model: str) -> LLMUsageV1 | None:
    """None where the server counts not at all, or oddly: an answer is worth more than its count."""
    try:
        prompt, completion = raw["prompt_tokens"], raw["completion_tokens"]
        return LLMUsageV1(
            provider="openai",
            model=model,
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=raw.get("total_tokens", prompt + completion),
        )
    except (TypeError, KeyError, ValidationError):
        return None
