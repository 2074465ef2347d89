"""Calls of models as metrics and as a line in the log. Never a word of what was said."""

import time

import structlog

from generated.metrics import Metrics, SubsystemLabel
from generated.models import LLMErrorCode, LLMProvider, LLMUsageV1
from impl.llm.errors import LLMError
from impl.llm.port import Operation

log = structlog.get_logger()

Subsystem = SubsystemLabel


class Meter:
    """Without `metrics`, in a process that shows none, it only writes."""

    def __init__(self, metrics: Metrics | None) -> None:
        self._metrics = metrics

    def good(
        self,
        provider: LLMProvider,
        subsystem: Subsystem,
        operation: Operation,
        began: float,
        usage: LLMUsageV1 | None,
    ) -> None:
        """`began` by `time.perf_counter`."""
        if self._metrics is not None:
            self._metrics.llm_requests_total.at(provider, subsystem, operation, "ok").inc()
        self._used(provider, subsystem, usage)
        self._write(provider, subsystem, operation, "ok", began, usage)

    def failed(
        self, error: LLMError, subsystem: Subsystem, operation: Operation, began: float
    ) -> None:
        provider = error.error.provider
        if self._metrics is not None:
            self._metrics.llm_requests_total.at(provider, subsystem, operation, "failed").inc()
        self._count_error(provider, subsystem, error.code)
        self._used(provider, subsystem, error.usage)
        self._write(provider, subsystem, operation, error.code, began, error.usage, error.reason)

    def cached(self, provider: LLMProvider, subsystem: Subsystem) -> None:
        if self._metrics is not None:
            self._metrics.llm_requests_total.at(provider, subsystem, "classify", "cached").inc()

    def _count_error(self, provider: LLMProvider, subsystem: Subsystem, code: LLMErrorCode) -> None:
        if self._metrics is not None:
            self._metrics.llm_errors_total.at(provider, subsystem, code).inc()

    def _used(self, provider: LLMProvider, subsystem: Subsystem, usage: LLMUsageV1 | None) -> None:
        if self._metrics is not None and usage is not None:
            tokens = self._metrics.llm_tokens_total
            tokens.at(provider, subsystem, "prompt").inc(usage.prompt_tokens)
            tokens.at(provider, subsystem, "completion").inc(usage.completion_tokens)

    def _write(  # noqa: PLR0917  # the line's members
        self,
        provider: LLMProvider,
        subsystem: Subsystem,
        operation: Operation,
        outcome: str,
        began: float,
        usage: LLMUsageV1 | None,
        reason: str | None = None,
    ) -> None:
        log.info(
            "llm_call",
            provider=provider,
            subsystem=subsystem,
            operation=operation,
            outcome=outcome,
            reason=reason,
            ms=round((time.perf_counter() - began) * 1000, 1),
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completion_tokens if usage else None,
        )
