"""Refuses what this process cannot serve in time, before anything is done for it."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Literal, TypeAlias

import structlog
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from generated.metrics import Metrics
from generated.runtime.edge import Endpoint
from impl.overload.limit import WorkLimit
from impl.overload.load import Load, Slot, enter
from impl.overload.refusal import enter_trace, send_overloaded
from impl.protocol import CROWDED
from impl.settings import Settings

log = structlog.get_logger()

LOOK_SECONDS = 0.05
TOLD_SECONDS = 1.0  # between two lines of the log, however many are refused
# Who is refused together shall not come back together.
RETRY_AFTER_SECONDS = (1, 2, 3)
# A plugin whose heartbeats are refused would be degraded, and overload become an outage.
PREFERRED = frozenset({"sendPluginHeartbeat"})
RESERVED = 4  # places beyond the bounds, for these alone: whoever floods them gets no more

Reason: TypeAlias = Literal["requests", "work", "connections"]
DETAILS: dict[Reason, str] = {
    "requests": "As many requests are under way as may be.",
    "work": "The process has more work than it can do in time.",
    "connections": "As many connections are open as may be.",
}


@dataclass
class Admission:
    """One a process. `count` is called for each request that is refused."""

    most: int  # requests under way
    limit: WorkLimit
    metrics: Metrics
    count: Callable[[], None]
    load: Load = field(default_factory=Load)
    # By the contract, once the routes are there: see `serve`.
    free: frozenset[str] = frozenset()
    streams: frozenset[str] = frozenset()
    preferred: tuple[Route, ...] = ()
    wait: float = 0.0  # seconds, as last seen
    _again: Iterator[int] = field(default_factory=lambda: cycle(RETRY_AFTER_SECONDS))
    _refused: int = 0
    _told: float = 0.0

    @classmethod
    def of(cls, settings: Settings, metrics: Metrics, count: Callable[[], None]) -> "Admission":
        limit = WorkLimit(settings.work_under_way, settings.work_wait_seconds)
        made = cls(settings.requests_under_way, limit, metrics, count)
        metrics.work_under_way.set_function(lambda: made.load.working)
        metrics.work_limit.set_function(lambda: limit.permitted)
        metrics.work_wait_seconds.set_function(lambda: made.wait)
        return made

    def serve(self, routes: Iterable[BaseRoute]) -> None:
        """What asks for no credentials is never refused: probes, scrapes, fixed pages. A stream is
        refused as all else is, but not counted: streams have limits of their own."""
        ends = [
            (route, route.endpoint)
            for route in routes
            if isinstance(route, Route) and isinstance(route.endpoint, Endpoint)
        ]
        self.free = frozenset(route.path for route, end in ends if end.is_open)
        self.streams = frozenset(route.path for route, end in ends if end.streams)
        self.preferred = tuple(
            route for route, end in ends if PREFERRED & set(end.operations.values())
        )

    def refusal(self, scope: Scope) -> Reason | None:
        if CROWDED in (scope.get("extensions") or ()):
            return "connections"
        full = self._full()
        if full and any(route.path_regex.match(scope["path"]) for route in self.preferred):
            return self._full(RESERVED)
        return full

    def _full(self, reserved: int = 0) -> Reason | None:
        if self.load.requests >= self.most + reserved:
            return "requests"
        if self.load.working >= self.limit.permitted + reserved:
            return "work"
        return None

    async def refuse(self, scope: Scope, send: Send, reason: Reason) -> None:
        self.metrics.requests_refused_total.at(reason).inc()
        self.count()
        self._refused += 1
        enter_trace(scope)
        await send_overloaded(send, DETAILS[reason], next(self._again))

    async def watch(self, longest_wait: Callable[[], float]) -> None:
        """Never ends. What waits is the loop's own turn, or what `longest_wait` tells (seconds)."""
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + LOOK_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            now = clock()
            self.wait = max(now - due, longest_wait(), 0.0)
            self.limit.note(self.wait, self.load.working, now)
            self._tell(now)

    def _tell(self, now: float) -> None:
        if self._refused and now - self._told >= TOLD_SECONDS:
            log.warning(
                "overloaded",
                refused=self._refused,
                requests=self.load.requests,
                working=self.load.working,
                work_limit=self.limit.permitted,
                wait_ms=round(self.wait * 1000),
            )
            self._refused, self._told = 0, now


class AdmissionMiddleware:
    """The outermost layer. What it answers itself goes out through `around`."""

    def __init__(self, app: ASGIApp, admission: Admission, around: Callable[[Send], Send]) -> None:
        self._app = app
        self._admission = admission
        self._around = around

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        admission = self._admission
        if scope["type"] != "http" or scope["path"] in admission.free:
            await self._app(scope, receive, send)
            return
        reason = admission.refusal(scope)
        if reason is not None:
            await admission.refuse(scope, self._around(send), reason)
        elif scope["path"] in admission.streams:
            await self._app(scope, receive, send)
        else:
            await self._serve(scope, receive, send, Slot(admission.load))

    async def _serve(self, scope: Scope, receive: Receive, send: Send, slot: Slot) -> None:
        """To wait for a client is no work: slow ones take up no place of it."""

        async def receiving() -> Message:
            slot.step_aside()
            try:
                return await receive()
            finally:
                slot.step_back()

        async def sending(message: Message) -> None:
            slot.step_aside()
            try:
                await send(message)
            finally:
                slot.step_back()

        enter(slot)
        try:
            await self._app(scope, receiving, sending)
        finally:
            slot.end()
