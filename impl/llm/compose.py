"""What is put together where a model is configured; where none is, nothing is imported for it."""

from collections.abc import Callable

from generated.metrics import Metrics
from impl.llm.cache import ChoiceCache
from impl.llm.exchange import ExchangeLog
from impl.llm.meter import Meter
from impl.llm.port import LLMClient
from impl.llm.quotas import Quotas
from impl.llm.retries import Retries
from impl.llm.router import LLMRouter, Outage
from impl.llm.settings import LLMSettings
from impl.llm.shared import SharedState, Unshared


def openai_client(
    settings: LLMSettings, *, classify_seconds: float, debug: bool
) -> LLMClient | None:
    """None where no model is set. It must be closed. The import takes half a second."""
    if settings.llm_base_url is None or settings.llm_model is None:
        return None
    from impl.llm.openai.client import OpenAIClient  # noqa: PLC0415  # slow: only if needed
    from impl.llm.openai.server import OpenAIServer  # noqa: PLC0415  # slow: only if needed

    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
    server = OpenAIServer(
        settings.llm_base_url,
        settings.llm_model,
        key,
        retries=Retries(settings.llm_retries),
        exchange=ExchangeLog(on=debug or settings.llm_log, secrets=[key] if key else []),
    )
    return OpenAIClient(server, settings.llm_times(classify_seconds))


def llm_router(
    settings: LLMSettings,
    first: LLMClient,
    second: LLMClient | None = None,
    *,
    metrics: Metrics | None = None,
    shared: SharedState | None = None,
    cache: ChoiceCache | None = None,
    on_outage: Callable[[Outage], None] = lambda _outage: None,
) -> LLMRouter:
    """By default without Redis and without a database: all counts are this process's own."""
    state = shared or Unshared()
    quotas = Quotas(settings.llm_quotas, settings.llm_quota_seconds, state)
    if metrics is not None:
        metrics.llm_quotas_alone.set_function(lambda: quotas.alone)
    return LLMRouter(
        first,
        second,
        quotas=quotas,
        meter=Meter(metrics),
        cache=cache or ChoiceCache(state, 0),
        bounds=settings.llm_bounds,
        probe_seconds=settings.llm_probe_seconds,
        on_outage=on_outage,
    )
