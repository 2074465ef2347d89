"""Outages of a model on their way to whoever subscribes: no message waits for that."""

import asyncio
from contextvars import Context
from uuid import uuid4

import structlog

from generated.metrics import Metrics
from generated.runtime import trace
from generated.triggers import TR_005
from impl.db import UNAVAILABLE, Pool
from impl.llm.queries import publish_outage
from impl.llm.router import Outage
from impl.triggers.firing import fired

log = structlog.get_logger()

AGAIN_SECONDS = 1.0


class Outages:
    """Each is published once by this process; another instance finds its own."""

    def __init__(self, pool: Pool, metrics: Metrics, again_seconds: float = AGAIN_SECONDS) -> None:
        self._pool = pool
        self._metrics = metrics
        self._again = again_seconds
        self._under_way: set[asyncio.Task[None]] = set()

    def tell(self, outage: Outage) -> None:
        # It is of no request, though one found it: another trace, and no operation publishes it.
        task = asyncio.get_running_loop().create_task(
            self._publish(outage), name="llm_outage", context=Context()
        )
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _publish(self, outage: Outage) -> None:
        trace_id = str(uuid4())
        trace.enter(trace_id)
        while True:
            try:
                await publish_outage(self._pool, outage, trace_id)
            except UNAVAILABLE as error:
                log.warning("llm_outage_waits", reason=type(error).__name__)
                await asyncio.sleep(self._again)
            else:
                fired(self._metrics, TR_005, provider=outage.provider)
                return
