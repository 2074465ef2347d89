"""Clients of the fake server, and what they are asked about."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from generated.metrics import Metrics
from impl.llm.availability import Bounds
from impl.llm.cache import ChoiceCache
from impl.llm.exchange import ExchangeLog
from impl.llm.local import LocalClient
from impl.llm.meter import Meter
from impl.llm.openai.client import OpenAIClient
from impl.llm.openai.server import OpenAIServer
from impl.llm.port import LLMClient
from impl.llm.quotas import Quotas
from impl.llm.retries import Retries
from impl.llm.router import LLMRouter, Outage
from impl.llm.shared import SharedState, Unshared
from impl.llm.times import Times
from impl.routing.classifier.port import Classified, Classifier, Meaning, Meanings
from tests.fake_llm import KEY, MODEL, FakeLLM

MEANINGS = Meanings(
    {
        "weather": Meaning(("Will it rain tomorrow?", "Wird es regnen?"), ("The weather.",)),
        "time": Meaning(("What time is it?",), ()),
    },
    "catalogue-1",
)
LATER = Meanings(MEANINGS.tags, "catalogue-2")
TIMES = Times(invoke=5, classify=5, generate_code=5, health=5)


class Words:
    """A Classifier that knows a tag by its name."""

    async def classify(self, text: str, meanings: Meanings) -> Classified | None:
        scores = [(tag, 0.75) for tag in meanings.tags if tag in text]
        return Classified(scores, "words", "1", meanings.version)


@asynccontextmanager
async def openai_client(
    url: str, *, on: bool = False, retries: int = 2, times: Times = TIMES, key: str | None = KEY
) -> AsyncIterator[OpenAIClient]:
    server = OpenAIServer(
        url,
        MODEL,
        key,
        retries=Retries(retries),
        exchange=ExchangeLog(on=on, secrets=[key] if key else []),
    )
    client = OpenAIClient(server, times)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def router(
    llm: FakeLLM,
    *,
    second: LLMClient | None = None,
    classifier: Classifier | None = None,
    shared: SharedState | None = None,
    metrics: Metrics | None = None,
    limits: dict[str, int] | None = None,
    window: int = 3600,
    cache_seconds: int = 0,
    bounds: Bounds | None = None,
    on_outage: Callable[[Outage], None] = lambda _outage: None,
    clock: Callable[[], float] | None = None,
    **options: Any,
) -> AsyncIterator[LLMRouter]:
    """With the local provider beside the fake server, and without retries."""
    state = shared or Unshared()
    clocked = {} if clock is None else {"clock": clock}
    async with openai_client(llm.url, **{"retries": 0, **options}) as first:
        found = LLMRouter(
            first,
            second or LocalClient(classifier or Words()),
            quotas=Quotas(limits or {}, window, state, **clocked),
            meter=Meter(metrics),
            cache=ChoiceCache(state, cache_seconds),
            bounds=bounds or Bounds(),
            probe_seconds=0.01,
            on_outage=on_outage,
            **clocked,
        )
        try:
            yield found
        finally:
            await found.close()
