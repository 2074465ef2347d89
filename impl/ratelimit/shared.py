"""Limits counted in Redis, for all instances together: one script, one round trip, Redis' clock.

`rate:bot:{id}`, `rate:user:{id}` and `rate:plugin:{id}` are hashes with the fields `quota` and
`window` (seconds) of those whose limit is not the contract's default; `…:bucket` beside each is
what it has used, and expires when it is empty. Keys lie in several slots: not for Redis Cluster.
"""

from collections.abc import Sequence
from hashlib import sha1
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from generated.runtime.limits import Charge, Partition, Verdict
from impl.ratelimit.bucket import MOST_QUOTA, MOST_WINDOW_SECONDS, Bucket, verdict

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
local answer, permitted = {{1}}, true
for i = 2, #KEYS, 2 do
    local own = redis.pcall('HMGET', KEYS[i], 'quota', 'window')
    local quota, window = given(own[1], {MOST_QUOTA}), given(own[2], {MOST_WINDOW_SECONDS})
    if not (quota and window) then quota, window = tonumber(ARGV[i - 1]), tonumber(ARGV[i]) end
    local kept, level = redis.pcall('GET', KEYS[i + 1]), 0
    if type(kept) == 'string' then
        local was, at = string.match(kept, '^(%d+):(%d+)$')
        if was then level = math.max(0, was - math.max(0, now - at) * quota) end
    end
    level = math.min(level, quota * window * 1000)
    if level + window * 1000 > quota * window * 1000 then permitted = false end
    local place = #answer
    answer[place + 1], answer[place + 2], answer[place + 3] = quota, window, level
end
if not permitted then
    answer[1] = 0
    return answer
end
for i = 2, #answer, 3 do
    local quota, level = answer[i], answer[i + 2] + answer[i + 1] * 1000
    answer[i + 2] = level
    redis.call('SET', KEYS[(i - 2) / 3 * 2 + 3], string.format('%.0f:%.0f', level, now),
        'PX', string.format('%.0f', math.ceil(level / quota)))
end
return answer
"""
CHARGE_SHA = sha1(CHARGE.encode()).hexdigest()  # noqa: S324  # Redis' own name for a script


def own_limit_key(partition: Partition, subject_id: UUID) -> str:
    return f"rate:{partition}:{subject_id}"


class SharedLimiter:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def charge(self, charges: Sequence[Charge]) -> Verdict | None:
        """None where Redis has lost own limits and they must be filled in first.

        Raises what redis-py raises, and never asks twice.
        """
        keys, arguments = [FILLED], []
        for charge in charges:
            key = own_limit_key(charge.limit.partition, charge.subject_id)
            keys += [key, f"{key}:bucket"]
            arguments += [str(charge.limit.quota), str(charge.limit.window)]
        permitted, *numbers = await self._run(keys, arguments) or (None,)
        if permitted is None:
            return None
        buckets = [Bucket(*numbers[i : i + 3]) for i in range(0, len(numbers), 3)]
        return verdict(charges, buckets, permitted=permitted == 1)

    async def _run(self, keys: list[str], arguments: list[str]) -> list[int]:
        redis: Any = self._redis
        try:
            found: list[int] = await redis.evalsha(CHARGE_SHA, len(keys), *keys, *arguments)
        except NoScriptError:  # a new server, or one that forgot: EVAL teaches it
            found = await redis.eval(CHARGE, len(keys), *keys, *arguments)
        return found
