"""One caller's stream: what it missed, then what happens, with signs of life."""

import asyncio
import math
from collections.abc import AsyncGenerator

import structlog

from impl.db import UNAVAILABLE
from impl.feed.feed import Feed
from impl.feed.subscription import Subscription

log = structlog.get_logger()

KEEP_ALIVE_SECONDS = 15.0
RETRY_MS = 1000
ALIVE = b": keep-alive\n"


class Stream:
    """The chunks of an answer. Whoever has one closes it, also where it was never begun."""

    def __init__(self, feed: Feed, subscription: Subscription, max_seconds: int) -> None:
        self._feed = feed
        self._subscription = subscription
        now = asyncio.get_running_loop().time()
        self._until = now + max_seconds if max_seconds else math.inf
        self._chunks = self._told()

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._chunks)

    async def aclose(self) -> None:
        await self._chunks.aclose()
        self._feed.leave(self._subscription)
        end = self._subscription.end or "client"
        self._feed.metrics.event_streams_ended_total.at(end).inc()
        log.info("stream_ended", end=end)

    async def _told(self) -> AsyncGenerator[bytes, None]:
        feed, subscription = self._feed, self._subscription
        yield f"retry: {RETRY_MS}\n".encode() + feed.mark(subscription)
        while not feed.join(subscription):
            if self._is_over():
                return
            try:
                missed = await feed.missed(subscription)
            except UNAVAILABLE as error:
                log.warning("feed_waits", reason=type(error).__name__)
                subscription.stop("database")
                return
            yield missed + feed.mark(subscription)
        if self._until == math.inf:
            subscription.stop("max_seconds")
        while not self._is_over():
            frames = await subscription.take(min(KEEP_ALIVE_SECONDS, self._left()))
            if frames:
                yield frames
            elif not self._is_over():
                yield ALIVE + feed.mark(subscription)

    def _left(self) -> float:
        return max(self._until - asyncio.get_running_loop().time(), 0.0)

    def _is_over(self) -> bool:
        if not self._left():
            self._subscription.stop("max_seconds")
        return self._subscription.end is not None
