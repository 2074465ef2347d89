"""What goes wrong with a model, as the contract names it."""

from generated.models import LLMErrorCode, LLMErrorV1, LLMProvider, LLMUsageV1

MESSAGES: dict[LLMErrorCode, str] = {
    "timeout": "The model gave no answer within its time.",
    "unavailable": "The model's server cannot be reached, or failed.",
    "rate_limited": "The model's server takes no more requests now.",
    "quota_exceeded": "The tokens of this subsystem are used up for now.",
    "refused": "The model or its server refused the request.",
    "invalid_answer": "The model's answer is not what was asked for.",
    "answer_too_large": "The model's answer exceeds the cap.",
    "not_supported": "This provider cannot do what was asked.",
}
FOR_GOOD: frozenset[LLMErrorCode] = frozenset({"refused", "answer_too_large", "not_supported"})
# What says nothing of whether the model is there.
OURS: frozenset[LLMErrorCode] = frozenset({"quota_exceeded", "not_supported"})


class LLMError(Exception):
    """`error` is the contract's. Neither it nor `reason`, which is for the log, repeats a text.

    `retry_after`: seconds after which another attempt makes sense; None: it would fail alike.
    `usage`: what an answer cost that could not be used.
    """

    def __init__(
        self,
        code: LLMErrorCode,
        provider: LLMProvider,
        *,
        reason: str | None = None,
        retry_after: float | None = None,
        usage: LLMUsageV1 | None = None,
    ) -> None:
        self.error = LLMErrorV1(
            code=code, message=MESSAGES[code], provider=provider, retryable=code not in FOR_GOOD
        )
        self.reason = reason or code
        self.retry_after = retry_after
        self.usage = usage
        super().__init__(f"{code} ({self.reason})")

    @property
    def code(self) -> LLMErrorCode:
        return self.error.code
