"""Plugin calls as metrics, and how much of a request's time was a plugin's."""

from contextvars import ContextVar

from generated import models
from generated.metrics import Metrics, PluginCallsTotalCodeLabel

# Of the request at hand; None where no plugin was called.
_waited: ContextVar[float | None] = ContextVar("seconds waited for a plugin", default=None)


def note_call(
    metrics: Metrics,
    code: PluginCallsTotalCodeLabel,
    seconds: float,
    usage: models.LLMUsageV1 | None = None,
) -> None:
    """One call of a plugin that ended: `code` is why there is no answer, or `none`."""
    metrics.plugin_calls_total.at(code).inc()
    metrics.plugin_latency_seconds.observe(seconds)
    _waited.set((_waited.get() or 0.0) + seconds)
    if usage is not None:
        metrics.token_usage_total.at("prompt").inc(usage.prompt_tokens)
        metrics.token_usage_total.at("completion").inc(usage.completion_tokens)


def take_waited() -> float | None:
    """The seconds that the request at hand waited for plugins; the next one starts anew."""
    waited = _waited.get()
    if waited is not None:
        _waited.set(None)
    return waited
