"""Limits counted in Redis, for all instances together: one script, one round trip, Redis' clock.

`rate:bot:{id}`, `rate:user:{id}` and `rate:plugin:{id}` are hashes with the fields `quota` and
`window` (seconds) of those whose limit is not the contract's default; `…:bucket` beside each is
what it has used, and expires when it is empty. Keys lie in several slots: not for Redis Cluster.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from hashlib import sha1
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from generated.runtime.limits import Charge, Partition, Verdict
from impl.ratelimit.bucket import MOST_QUOTA, MOST_WINDOW_SECONDS, Bucket, verdict
from impl.ratelimit.connection import Connection
from impl.redis import UNREACHABLE

# Redis has all own limits up to this version of them; absent: it has lost some.
FILLED = "rate:filled"

# First it looks at all, then it charges all: a refused request takes nothing. What no operator of
# ours can have written (a wrong type, a quota of 0) counts as absent.
CHARGE = f"""
if redis.call('EXISTS', KEYS[1]) == 0 then return {{}} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function given(text, most)
    local number = tonumber(text)
    return number and number >= 1 and number <= most and number % 1 == 0 and number
end
local answer, permitted, over = {{1}}, true, {{}}
local function keep(i, level, quota)
    redis.call('SET', KEYS[i], string.format('%.0f:%.0f', level, now),
        'PX', string.format('%.0f', math.max(1, math.ceil(level / quota))))
end
for i = 2, #KEYS, 2 do
    local own = redis.pcall('HMGET', KEYS[i], 'quota', 'window')
    local quota, window = given(own[1], {MOST_QUOTA}), given(own[2], {MOST_WINDOW_SECONDS})
    if not (quota and window) then quota, window = tonumber(ARGV[i - 1]), tonumber(ARGV[i]) end
    local kept, level = redis.pcall('GET', KEYS[i + 1]), 0
    if type(kept) == 'string' then
        local was, at = string.match(kept, '^(%d+):(%d+)$')
        if was then level = math.max(0, was - math.max(0, now - at) * quota) end
    end
    if level > quota * window * 1000 then
        level = quota * window * 1000
        over[i + 1] = {{level, quota}}
    end
    if level + window * 1000 > quota * window * 1000 then permitted = false end
    local place = #answer
    answer[place + 1], answer[place + 2], answer[place + 3] = quota, window, level
end
if not permitted then
    -- The quota was lowered: from now on this bucket drains as the others do.
    for i, bucket in pairs(over) do keep(i, bucket[1], bucket[2]) end
    answer[1] = 0
    return answer
end
for i = 2, #answer, 3 do
    local quota, level = answer[i], answer[i + 2] + answer[i + 1] * 1000
    answer[i + 2] = level
    keep((i - 2) / 3 * 2 + 3, level, quota)
end
return answer
"""
CHARGE_SHA = sha1(CHARGE.encode()).hexdigest()  # noqa: S324  # Redis' own name for a script  # nosec B324


def own_limit_key(partition: Partition, subject_id: UUID) -> str:
    return f"rate:{partition}:{subject_id}"


class SharedLimiter:
    """A burst needs no more connections than one request. To connect and to ask have
    `timeout_seconds` each; a Redis that hangs is waited for once."""

    def __init__(self, redis: Redis, timeout_seconds: float) -> None:
        self._redis = redis
        self._timeout = timeout_seconds
        self._connection: Connection | None = None
        self._opening: asyncio.Task[Connection] | None = None

    async def charge(self, charges: Sequence[Charge]) -> Verdict | None:
        """None where Redis has lost own limits and they must be filled in first.

        Raises what redis-py raises, and never asks twice.
        """
        connection = self._connection
        if connection is None or connection.closed:
            connection = await self._connected()
        command = _command(charges)
        try:
            numbers = await connection.ask(*command)
        except ResponseError as error:
            if not str(error).startswith("NOSCRIPT"):
                connection.close()  # it may be read-only by now, or ask for a password
                raise
            # A new server, or one that forgot: nobody was charged then.
            await connection.ask("SCRIPT", "LOAD", CHARGE)
            numbers = await connection.ask(*command)
        if not numbers:
            return None
        buckets = [Bucket(*numbers[i : i + 3]) for i in range(1, len(numbers), 3)]
        return verdict(charges, buckets, permitted=numbers[0] == 1)

    async def look(self) -> None:
        """Keeps the connection in use, or drops it: what lies between forgets an idle one."""
        if self._connection is not None and not self._connection.closed:
            with contextlib.suppress(*UNREACHABLE):
                await self._connection.ask("PING")

    async def close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._connection is not None:
            self._connection.close()

    async def _connected(self) -> Connection:
        """Once for all who wait for it; one that gives up does not fail the others."""
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open(), name="limits_connect")
            self._opening.add_done_callback(seen)
        return await asyncio.shield(self._opening)

    async def _open(self) -> Connection:
        self._connection = await Connection.open(self._redis, self._timeout)
        return self._connection


def _command(charges: Sequence[Charge]) -> list[str | int]:
    keys: list[str | int] = [FILLED]
    arguments: list[int] = []
    for charge in charges:
        key = own_limit_key(charge.limit.partition, charge.subject_id)
        keys += (key, f"{key}:bucket")
        arguments += (charge.limit.quota, charge.limit.window)
    return ["EVALSHA", CHARGE_SHA, len(keys), *keys, *arguments]


def seen(task: "asyncio.Task[Any]") -> None:
    """Its error is told to those who wait for it; where nobody does, it is nobody's."""
    if not task.cancelled():
        task.exception()
