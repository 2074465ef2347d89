"""Keeps Redis equal to the master copy, whatever was lost on either side.

`rate:filled` holds the version up to which Redis has all own limits. Who changes a limit commits it
to PostgreSQL, then brings it here; where the process dies in between, the next look of any instance
finds the marker behind the table and does it. A Redis that was emptied has no marker, one that was
restored has an old one. Writes carry versions, so that a late one changes nothing.
"""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import structlog
from redis.asyncio import Redis

from impl.db import UNAVAILABLE
from impl.ratelimit.master import MasterCopy
from impl.ratelimit.queries import OwnLimit
from impl.ratelimit.shared import FILLED, own_limit_key

log = structlog.get_logger()

BATCH = 500
PROOF_SECONDS = 60
# How long a limit that was taken back refuses older writes of it.
TAKEN_BACK_SECONDS = 3600

PUSH = f"""
for i = 1, #KEYS do
    local version, quota, window = ARGV[i * 3 - 2], ARGV[i * 3 - 1], ARGV[i * 3]
    local known = redis.pcall('HGET', KEYS[i], 'version')
    if tonumber(version) >= (tonumber(known) or 0) then
        redis.call('DEL', KEYS[i])
        if quota == '' then
            redis.call('HSET', KEYS[i], 'version', version)
            redis.call('EXPIRE', KEYS[i], {TAKEN_BACK_SECONDS})
        else
            redis.call('HSET', KEYS[i], 'version', version, 'quota', quota, 'window', window)
        end
    end
end
"""

# What none of ours can have written is no marker: a key of another type, bytes that are no number.
_MARKER = """
local function marker(key)
    local text = redis.pcall('GET', key)
    return type(text) == 'string' and #text <= 15 and string.match(text, '^%d+$')
end
"""

BEGIN = f"""{_MARKER}
redis.call('SET', KEYS[1], 1, 'EX', {PROOF_SECONDS})
return marker(KEYS[2])
"""

# The proof was set before the marker was read: where it is gone, so may be what was pushed since.
FINISH = f"""{_MARKER}
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local known = tonumber(marker(KEYS[2]) or 0)
redis.call('SET', KEYS[2], string.format('%.0f', math.max(known, ARGV[1])))
return 1
"""


class Filling:
    """One a process. Its methods raise what redis-py raises."""

    def __init__(self, redis: Redis, master: MasterCopy) -> None:
        self._redis: Any = redis
        self._master = master
        self._proof = f"rate:filling:{uuid4()}"

    async def agree(self) -> None:
        """Bring both copies up to date. Raises what the database does where there is no other."""
        marker = await self._begin()
        fresh = await self._refresh(needed=marker is None)
        if marker is not None and marker > self._master.version and fresh:
            log.warning("limits_ahead", redis=marker, database=self._master.version)
            await self._clear()
            marker = None
        if marker is None or marker < self._master.version:
            # Of now: a limit that somebody reads while these are pushed is not among them.
            rows, version = self._master.since(marker or 0), self._master.version
            await self.push(rows)
            await self._finish(version)
            log.info("limits_filled", count=len(rows), version=version)

    async def push(self, rows: Sequence[OwnLimit]) -> None:
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            keys = [own_limit_key(row.partition, row.subject_id) for row in batch]
            values = [
                "" if value is None else str(value)
                for row in batch
                for value in (row.version, row.quota, row.window_seconds)
            ]
            await self._redis.eval(PUSH, len(keys), *keys, *values)

    async def _begin(self) -> int | None:
        marker = await self._redis.eval(BEGIN, 2, self._proof, FILLED)
        return None if marker is None else int(marker)

    async def _refresh(self, *, needed: bool) -> bool:
        try:
            await self._master.refresh()
        except UNAVAILABLE:
            if needed and not self._master.loaded:
                raise
            return False
        return True

    async def _finish(self, version: int) -> None:
        await self._redis.eval(FINISH, 2, self._proof, FILLED, version)

    async def _clear(self) -> None:
        await self._redis.delete(FILLED)
        async for key in self._redis.scan_iter(match="rate:*", count=1000):
            if not key.endswith(":bucket") and key != self._proof:
                await self._redis.unlink(key)
