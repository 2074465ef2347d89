"""Requests as metrics: prometheus-fastapi-instrumentator measures them, the contract names them."""

import time
from collections import deque
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from fastapi import FastAPI
from prometheus_fastapi_instrumentator import Instrumentator
from prometheus_fastapi_instrumentator.metrics import Info
from prometheus_fastapi_instrumentator.middleware import PrometheusInstrumentatorMiddleware
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from generated.metrics import Metrics
from generated.runtime.edge import ANSWER
from impl.metrics.plugins import take_waited

WINDOW_SECONDS = 60
SLOT_SECONDS = 5


@dataclass
class ErrorRate:
    """The share of errors in what was answered within the last minute, in slots of 5 s."""

    _slots: deque[list[int]] = field(default_factory=deque)  # number of the slot, answers, errors

    def add(self, *, error: bool) -> None:
        now = int(time.monotonic()) // SLOT_SECONDS
        if not self._slots or self._slots[-1][0] != now:
            self._slots.append([now, 0, 0])
            self._forget(now)
        slot = self._slots[-1]
        slot[1] += 1
        slot[2] += error

    def share(self) -> float:
        """0 to 1; 0 where nothing was answered."""
        self._forget(int(time.monotonic()) // SLOT_SECONDS)
        answers = sum(slot[1] for slot in self._slots)
        return sum(slot[2] for slot in self._slots) / answers if answers else 0.0

    def _forget(self, now: int) -> None:
        while self._slots and self._slots[0][0] <= now - WINDOW_SECONDS // SLOT_SECONDS:
            self._slots.popleft()


@dataclass(slots=True)
class RequestMetrics:
    """What the instrumentator calls for each request, after its answer: `measure`."""

    metrics: Metrics
    error_rate: ErrorRate
    under_way: int = 0

    def measure(self, info: Info) -> None:
        operation, status, code = answer_of(info)
        self._count(operation, status, code)
        # To the beginning of the answer, where there is one: a stream's end says nothing.
        seconds = info.modified_duration_without_streaming or info.modified_duration
        self._time(operation, seconds)

    def _count(self, operation: Any, status: Any, code: Any) -> None:
        self.metrics.requests_total.at(operation, status).inc()
        if code is not None:
            self.metrics.request_errors_total.at(operation, code).inc()
        self.error_rate.add(error=status >= 500)

    def count_refused(self) -> None:
        """One that is refused before it reaches an operation."""
        self._count("none", 503, "overloaded")

    def _time(self, operation: Any, seconds: float) -> None:
        self.metrics.request_latency_seconds.at(operation).observe(seconds)
        waited = take_waited()
        if waited is not None:
            own = max(seconds - waited, 0.0)
            self.metrics.core_latency_seconds.observe(own)


def answer_of(info: Info) -> tuple[Any, Any, Any]:
    """Operation, status and code as the edge noted them; Any, for what is noted is but text.

    Not `info.modified_status`, which is 500 for a caller who left before the answer, and no label
    of the method or the path: both are the caller's words, and so without bound.
    """
    noted: tuple[Any, Any, Any] | None = info.request.scope.get(ANSWER)
    return noted or ("none", int(info.modified_status), None)


class Middleware(PrometheusInstrumentatorMiddleware):
    """The package's, less what none of our instrumentations asks for: the route's template, for
    which it matches the path once more, a copy of the answer, and a gather of nothing.

    Its gauge of requests under way would be registered globally, where a second application finds
    it: ours is of our registry, and asks for the number when somebody scrapes.
    """

    def __init__(self, app: Any, requests: RequestMetrics, **options: Any) -> None:
        super().__init__(app, **options)
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, answered = 500, 0.0
        began = perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], perf_counter()
            await send(message)

        self._requests.under_way += 1
        try:
            await self.app(scope, receive, noting)
        finally:
            took = perf_counter() - began
            self._requests.under_way -= 1
            begun = answered - began if answered else 0.0
            # What the answer was is in the scope: see `answer_of`.
            info = Info(Request(scope), None, scope["method"], "none", str(status), took, begun)
            for instrumentation in self.instrumentations:
                instrumentation(info)


def instrument(app: FastAPI, metrics: Metrics) -> RequestMetrics:
    """Measures what `app` answers from here on."""
    requests = RequestMetrics(metrics, ErrorRate())
    metrics.error_rate.set_function(requests.error_rate.share)
    metrics.requests_under_way.set_function(lambda: requests.under_way)
    instrumentator = Instrumentator(registry=metrics.registry).add(requests.measure)
    app.add_middleware(
        Middleware,  # type: ignore[arg-type]  # the package types what it is called with more narrowly
        requests=requests,
        should_group_status_codes=False,
        instrumentations=instrumentator.instrumentations,
        registry=metrics.registry,
    )
    return requests
