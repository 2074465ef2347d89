"""Who classifies for the core, as its settings say."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from generated.metrics import Metrics
from impl.db import Pool
from impl.degraded.gate import Gate
from impl.llm.cache import ChoiceCache
from impl.llm.classifier import LLMClassifier
from impl.llm.compose import llm_router, openai_client
from impl.llm.local import LocalClient
from impl.llm.outages import Outages
from impl.llm.redis_state import RedisState
from impl.routing.classifier.port import Classifier
from impl.settings import Settings


@asynccontextmanager
async def open_classifier(
    settings: Settings, local: Classifier | None, *, pool: Pool, gate: Gate, metrics: Metrics
) -> AsyncIterator[Classifier | None]:
    """Who classifies, as `BOTCORE_CLASSIFIER` says; None: nobody."""
    if settings.classifier != "llm":
        yield local if settings.classifier == "local" else None
        return
    async with AsyncExitStack() as stack:
        first = openai_client(
            settings,
            classify_seconds=settings.classifier_llm_seconds,
            debug=settings.log_level == "debug",
        )
        if first is None:
            raise ValueError("BOTCORE_CLASSIFIER is llm: set BOTCORE_LLM_BASE_URL")
        shared = RedisState(gate)
        secret = settings.secret_key.get_secret_value()
        outages = Outages(pool, metrics)
        stack.push_async_callback(outages.close)
        llm = llm_router(
            settings,
            first,
            LocalClient(local),
            metrics=metrics,
            shared=shared,
            cache=ChoiceCache(shared, settings.llm_cache_seconds, secret),
            on_outage=outages.tell,
        )
        stack.push_async_callback(llm.close)
        yield LLMClassifier(llm, local, settings.classifier_llm_seconds)
