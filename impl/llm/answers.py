"""What of a model's answer is believed: everything is read again here, whatever was asked for.

The client of `openai` builds its own objects without a check, and a server need not keep to a
schema that it was given.
"""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from generated.models import LLMUsageV1
from generated.runtime import strict_json
from generated.runtime.problems import ProblemError

MAX_VALUES = 50  # of an object that has two members
MAX_CODE_CHARACTERS = 256 * 1024
_FENCED = re.compile(r"```[^\n`]*\n(.*?)\n?```", re.DOTALL)


class UnusableError(Exception):
    """`reason` is for the log; `usage` is what the answer cost all the same."""

    def __init__(self, reason: str, usage: LLMUsageV1 | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.usage = usage


class RefusedError(UnusableError):
    """The model says that it will not."""


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: Any = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: Any = None


@dataclass(frozen=True, slots=True)
class Said:
    text: str
    usage: LLMUsageV1 | None


def read_completion(content: bytes, model: str) -> Said:
    """The text in an answer of `/chat/completions`. Raises UnusableError."""
    try:
        completion = _Completion.model_validate_json(content)
    except ValidationError:
        raise UnusableError("unreadable_answer") from None
    usage, choice = read_usage(completion.usage, model), completion.choices[0]
    if choice.message.refusal or choice.finish_reason == "content_filter":
        raise RefusedError("model_refused", usage)
    if choice.message.content is None:
        raise UnusableError("unreadable_answer", usage)
    if not choice.message.content.strip():
        raise UnusableError("empty_answer", usage)
    return Said(choice.message.content, usage)


def read_choice(said: Said, tags: Collection[str]) -> tuple[str | None, float]:
    """The tag, which is one of `tags` or None, and its confidence. Raises UnusableError."""
    value = _object(said)
    tag, confidence = value.get("tag", ""), value.get("confidence")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float):
        raise UnusableError("confidence_missing", said.usage)
    if not (math.isfinite(confidence) and 0 <= confidence <= 1):
        raise UnusableError("confidence_out_of_range", said.usage)
    if tag is None:
        return None, float(confidence)
    if not isinstance(tag, str) or tag not in tags:
        raise UnusableError("tag_not_permitted", said.usage)
    return tag, float(confidence)


def read_code(said: Said) -> str:
    """The code alone. Raises UnusableError."""
    code = _object(said).get("code")
    if not isinstance(code, str) or len(code) > MAX_CODE_CHARACTERS:
        raise UnusableError("code_missing", said.usage)
    fenced = _FENCED.fullmatch(code.strip())
    bare = fenced[1] if fenced else code
    if not bare.strip():
        raise UnusableError("code_missing", said.usage)
    return bare


def read_usage(raw: Any, model: str) -> LLMUsageV1 | None:
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


def _object(said: Said) -> dict[str, object]:
    try:
        value = strict_json.parse(said.text.encode(), max_values=MAX_VALUES)
    except ProblemError:
        raise UnusableError("unreadable_answer", said.usage) from None
    if not isinstance(value, dict):
        raise UnusableError("unreadable_answer", said.usage)
    return value
