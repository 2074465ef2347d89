"""Limits counted in Redis, for all instances together: one script, one round trip, Redis' clock.

`rate:bot:{id}`, `rate:user:{id}` and `rate:plugin:{id}` are hashes with the fields `quota` and
`window` (seconds) of those whose limit is not the contract's default; `…:bucket` beside each is
what it has used, and expires when it is empty. Keys lie in several slots: not for Redis Cluster.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Any
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from generated.runtime.limits import Charge, Partition, Verdict
from impl.ratelimit.bucket import MOST_QUOTA, MOST_WINDOW_SECONDS, Bucket, verdict
from impl.redis import UNREACHABLE

log = structlog.get_logger()

BATCH = 100

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


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request's charges, and who waits for the script's answer."""

    charges: Sequence[Charge]
    answer: "asyncio.Future[list[int]]"

    def settle(self, answer: list[int] | Exception) -> None:
        if self.answer.done():  # the caller is gone
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)

    def write(self, pipeline: Any) -> None:
        keys, arguments = [FILLED], []
        for charge in self.charges:
            key = own_limit_key(charge.limit.partition, charge.subject_id)
            keys += [key, f"{key}:bucket"]
            arguments += [charge.limit.quota, charge.limit.window]
        pipeline.evalsha(CHARGE_SHA, len(keys), *keys, *arguments)


class SharedLimiter:
    """What is asked while Redis answers goes out together, next: a burst needs no more connections
    than one request, and waits for a Redis that hangs no longer than `timeout_seconds`."""

    def __init__(self, redis: Redis, timeout_seconds: float) -> None:
        self._redis = redis
        self._timeout = timeout_seconds
        self._waiting: list[_Asked] = []
        self._sending: asyncio.Task[None] | None = None

    async def charge(self, charges: Sequence[Charge]) -> Verdict | None:
        """None where Redis has lost own limits and they must be filled in first.

        Raises what redis-py raises, and never asks twice.
        """
        asked = _Asked(charges, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send(), name="limits_send")
        permitted, *numbers = await asked.answer or (None,)
        if permitted is None:
            return None
        buckets = [Bucket(*numbers[i : i + 3]) for i in range(0, len(numbers), 3)]
        return verdict(charges, buckets, permitted=permitted == 1)

    async def close(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait([self._sending])

    async def _send(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            try:
                async with asyncio.timeout(self._timeout):
                    answers = await self._run(batch)
            except UNREACHABLE as error:
                # Those behind would only find the same, later.
                batch, self._waiting = batch + self._waiting, []
                answers = [error] * len(batch)
            except Exception as error:
                log.exception("limits_not_asked")  # a mistake, of ours or of redis-py
                answers = [RedisError(repr(error))] * len(batch)
            for asked, answer in zip(batch, answers, strict=True):
                asked.settle(answer)

    async def _run(self, batch: Sequence[_Asked]) -> Sequence[list[int] | Exception]:
        answers = await self._once(batch)
        if any(isinstance(answer, NoScriptError) for answer in answers):
            # A new server, or one that forgot: nobody was charged then.
            await self._redis.script_load(CHARGE)
            answers = await self._once(batch)
        return answers

    async def _once(self, batch: Sequence[_Asked]) -> Sequence[list[int] | Exception]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for asked in batch:
                asked.write(pipeline)
            answers: list[list[int] | Exception] = await pipeline.execute(raise_on_error=False)
        return answers
