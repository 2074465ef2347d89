"""One connection to Redis whose questions go out as they come, answered in their order.

redis-py connects and logs in; from there on its client takes several times as long for a question
as hiredis does, and one is asked for each request: docs/decisions/0025-limiter.md.
"""

import asyncio
from collections import deque
from typing import Any, cast

import hiredis
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

READING_SECONDS = 0.005
_MORE = object()  # what the reader says while an answer is not whole

Answer = asyncio.Future[Any]


class Connection(asyncio.Protocol):
    """Of one event loop. What an error ends is ended for all who wait, and never asked again.

    A question's answer is awaited for `timeout_seconds`; the connection is given up then, since
    the answers behind it would come no sooner.
    """

    def __init__(self, timeout_seconds: float) -> None:
        self.closed = False
        self._timeout = timeout_seconds
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, Answer]] = deque()  # until when, the oldest first
        self._reader = hiredis.Reader(
            encoding="utf-8", errors="replace", notEnoughData=_MORE, replyError=ResponseError
        )
        self._timer: asyncio.TimerHandle | None = None
        self._late: Answer | None = None
        self._transport: asyncio.Transport
        self._writer: object  # it would close the transport when it is collected

    @classmethod
    async def open(cls, redis: Redis, timeout_seconds: float) -> "Connection":
        """As `redis` connects: its address, TLS and password. Raises what redis-py does."""
        login: Any = cast("Any", redis.connection_pool).make_connection()
        try:
            async with asyncio.timeout(timeout_seconds):
                await login.connect()
        except BaseException:
            await login.disconnect(nowait=True)
            raise
        connection = cls(timeout_seconds)
        # redis-py hands its streams over by no public name; from here on they are ours.
        connection._writer = writer = login._writer  # noqa: SLF001  # see above
        login._reader = login._writer = None  # noqa: SLF001  # the same
        connection._transport = writer.transport
        connection._transport.set_protocol(connection)
        connection.closed = connection._transport.is_closing()
        return connection

    def ask(self, *command: str | int) -> Answer:
        """Its answer as Redis gives it; or a ResponseError, or what ended the connection."""
        answer: Answer = self._loop.create_future()
        if self.closed:
            answer.set_exception(RedisConnectionError("the connection is closed"))
            return answer
        until = self._loop.time() + self._timeout
        self._waiting.append((until, answer))
        self._transport.write(hiredis.pack_command(cast("Any", command)))
        if self._timer is None:
            self._timer = self._loop.call_at(until, self._look)
        return answer

    def close(self, error: Exception | None = None) -> None:
        """At once; who still waits gets `error`."""
        if not self.closed:
            self.closed = True
            self._transport.abort()
        if self._timer is not None:
            self._timer.cancel()
        while self._waiting:
            _, answer = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(error or RedisConnectionError("the connection was closed"))

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (found := self._reader.gets()) is not _MORE:
                self._take(found)
        except hiredis.HiredisError as error:
            self.close(RedisConnectionError(f"not the protocol of Redis: {error}"))

    def _take(self, found: Any) -> None:
        if isinstance(found, hiredis.PushNotification):  # nobody asked for it
            return
        if not self._waiting:
            self.close()
            return
        _, answer = self._waiting.popleft()
        if answer.done():  # who asked is gone
            return
        if isinstance(found, ResponseError):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def connection_lost(self, exc: Exception | None) -> None:
        self.close(RedisConnectionError(f"the connection was lost: {exc or 'closed by Redis'}"))

    def _look(self) -> None:
        """One timer for all: it is set again for the oldest that waits."""
        self._timer = None
        if not self._waiting:
            return
        until, oldest = self._waiting[0]
        if until > self._loop.time():
            self._timer = self._loop.call_at(until, self._look)
        elif self._late is not oldest:
            # It may be the loop that was late: an answer that is here already is read first.
            self._late = oldest
            self._timer = self._loop.call_later(READING_SECONDS, self._look)
        else:
            self.close(RedisTimeoutError(f"no answer within {self._timeout:g} s"))
