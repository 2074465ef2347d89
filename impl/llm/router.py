"""Which provider answers, and what all calls have in common: quotas, counts, the way back."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import TypeVar

import structlog

from generated.models import LLMErrorV1, LLMProvider
from impl.llm.availability import Bounds, Counted, Standing
from impl.llm.cache import ChoiceCache
from impl.llm.errors import OURS, LLMError
from impl.llm.flights import Flights
from impl.llm.meter import Meter, Subsystem
from impl.llm.port import Choice, Code, Completion, Cost, LLMClient, Operation, Turn
from impl.llm.quotas import Quotas
from impl.llm.sentences import Language
from impl.logging import described
from impl.routing.classifier.port import Meanings

log = structlog.get_logger()

A = TypeVar("A", Completion, Choice, Code)


@dataclass(frozen=True, slots=True)
class Outage:
    """The first provider fell below the bound, by `error` last; `fallback` answers from now on."""

    provider: LLMProvider
    fallback: LLMProvider
    counted: Counted
    window_seconds: float
    error: LLMErrorV1


@dataclass(frozen=True, slots=True)
class _Asked:
    """One call: of whom, and for whom."""

    client: LLMClient
    trial: bool
    operation: Operation
    subsystem: Subsystem


class LLMRouter:
    """The first provider, and while it is away the second. Without a second nobody is spared.

    `on_outage` is called once for each outage; it must not wait. All calls raise LLMError.
    """

    def __init__(
        self,
        first: LLMClient,
        second: LLMClient | None = None,
        *,
        quotas: Quotas,
        meter: Meter,
        cache: ChoiceCache,
        bounds: Bounds,
        probe_seconds: float = 5.0,
        on_outage: Callable[[Outage], None] = lambda _outage: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first = first
        self._second = second
        self._quotas = quotas
        self._meter = meter
        self._cache = cache
        self._bounds = bounds
        self._probe_seconds = probe_seconds
        self._on_outage = on_outage
        self._standing = Standing(bounds, clock)
        self._flights = Flights[Choice]()
        self._probing: asyncio.Task[None] | None = None

    @property
    def model(self) -> str:
        """The first provider's."""
        return self._first.model

    async def invoke(
        self,
        turns: Sequence[Turn],
        *,
        subsystem: Subsystem,
        language: Language = "en",
        seconds: float | None = None,
    ) -> Completion:
        asked = self._ask("invoke", subsystem)
        return await self._counted(
            asked, lambda llm: llm.invoke(turns, language=language, seconds=seconds)
        )

    async def classify(
        self,
        text: str,
        meanings: Meanings,
        *,
        subsystem: Subsystem,
        seconds: float | None = None,
    ) -> Choice:
        """Equal messages that come at once are one call; those that come later none, where kept."""
        key = self._cache.key(text, meanings, self._first.model)
        return await self._flights.join(
            key, lambda: self._classify(key, text, meanings, subsystem, seconds)
        )

    async def generate_code(
        self, task: str, language: str, *, subsystem: Subsystem, seconds: float | None = None
    ) -> Code:
        asked = self._ask("generate_code", subsystem)
        return await self._counted(
            asked, lambda llm: llm.generate_code(task, language, seconds=seconds)
        )

    async def health(self, *, subsystem: Subsystem = "other") -> None:
        """Of the first provider."""
        began = time.perf_counter()
        try:
            await self._first.health()
        except LLMError as error:
            self._meter.failed(error, subsystem, "health", began)
            raise
        self._meter.good(self._first.provider, subsystem, "health", began, None)

    async def close(self) -> None:
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.wait([self._probing])
        await self._flights.close()
        await self._first.close()
        if self._second is not None:
            await self._second.close()

    async def _classify(
        self,
        key: str,
        text: str,
        meanings: Meanings,
        subsystem: Subsystem,
        seconds: float | None,
    ) -> Choice:
        kept = await self._cache.get(key, meanings, self._first.provider)
        if kept is not None:
            self._meter.cached(kept.provider, subsystem)
            return kept
        asked = self._ask("classify", subsystem)
        choice = await self._counted(
            asked, lambda llm: llm.classify(text, meanings, seconds=seconds)
        )
        if asked.client is self._first:
            await self._cache.put(key, choice)
        return choice

    def _ask(self, operation: Operation, subsystem: Subsystem) -> _Asked:
        if self._second is None:
            return _Asked(self._first, False, operation, subsystem)
        may, trial = self._standing.take()
        client = self._first if may else self._second
        return _Asked(client, trial, operation, subsystem)

    async def _counted(self, asked: _Asked, call: Callable[[LLMClient], Awaitable[A]]) -> A:
        began = time.perf_counter()
        try:
            if asked.client is self._first:
                await self._quotas.check(asked.subsystem, self._first.provider)
            answer = await call(asked.client)
        except LLMError as error:
            self._meter.failed(error, asked.subsystem, asked.operation, began)
            self._note_failure(asked, error)
            if error.usage is not None:
                await self._quotas.charge(asked.subsystem, Cost(error.usage))
            raise
        except BaseException:  # the caller left, or a mistake of ours
            self._standing.given_up(trial=asked.trial)
            raise
        self._meter.good(
            asked.client.provider, asked.subsystem, asked.operation, began, answer.cost.usage
        )
        await self._note_answer(asked, answer)
        return answer

    async def _note_answer(self, asked: _Asked, answer: Completion | Choice | Code) -> None:
        if asked.client is not self._first:
            return
        if self._standing.good(trial=asked.trial):
            log.info("llm_recovered", provider=self._first.provider)
        await self._quotas.charge(asked.subsystem, answer.cost)

    def _note_failure(self, asked: _Asked, error: LLMError) -> None:
        if asked.client is not self._first or self._second is None:
            return
        if error.code in OURS:
            self._standing.given_up(trial=asked.trial)
            return
        counted = self._standing.failed(trial=asked.trial)
        if counted is not None:
            self._tell(counted, error, self._second.provider)
        if counted is not None or asked.trial:
            # Of nobody's request: its trace and what it may publish are its own.
            self._probing = asyncio.get_running_loop().create_task(
                self._probe(), name="llm_probe", context=Context()
            )

    def _tell(self, counted: Counted, error: LLMError, fallback: LLMProvider) -> None:
        outage = Outage(self._first.provider, fallback, counted, self._bounds.seconds, error.error)
        log.warning(
            "llm_unavailable",
            provider=outage.provider,
            fallback=fallback,
            availability=round(counted.availability, 4),
            calls=counted.calls,
            reason=error.reason,
        )
        self._on_outage(outage)

    async def _probe(self) -> None:
        """Until the first provider is well; then one call tries it."""
        while True:
            await asyncio.sleep(self._probe_seconds)
            try:
                await self.health()
            except LLMError:
                continue
            except Exception as error:  # noqa: BLE001  # a mistake must not keep it away for good
                log.error("llm_probe_failed", **described(error))  # noqa: TRY400  # nor its words
                continue
            self._standing.probed_well()
            return
