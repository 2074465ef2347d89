"""Keys of Redis that must expire: none without a TTL, none with a longer one than it should have.

A subject's own limit and `rate:filled` have none, by intent: they are a copy of the database.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from impl.doctor.finding import Finding, failed, good
from impl.events.streams import STATE_TTL_SECONDS
from impl.ratelimit.bucket import MOST_WINDOW_SECONDS
from impl.ratelimit.filling import PROOF_SECONDS

PAGE = 1000
SHOWN = 3
PATTERNS = ("dialog:state:*", "rate:*")
BOUNDS = (
    ("dialog:state", re.compile(r"dialog:state:.*"), STATE_TTL_SECONDS),
    ("rate buckets", re.compile(r"rate:.*:bucket"), MOST_WINDOW_SECONDS),
    ("rate:filling", re.compile(r"rate:filling:.*"), PROOF_SECONDS),
)


@dataclass
class Seen:
    """Of the keys with one bound, in seconds."""

    name: str
    bound: int
    keys: int = 0
    lasting: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    wrong: int = 0

    def add(self, key: str, left_ms: int) -> None:
        if left_ms == -2:  # it expired between the two questions
            return
        self.keys += 1
        if left_ms == -1 or left_ms > self.bound * 1000:
            self.wrong += 1
            shown = self.lasting if left_ms == -1 else self.late
            if len(shown) < SHOWN:
                shown.append(key)


async def check(redis: Redis) -> list[Finding]:
    """Raises what redis-py raises."""
    seen = [Seen(name, bound) for name, _, bound in BOUNDS]
    async for keys in _pages(redis):
        async with redis.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.pttl(key)
            for key, left in zip(keys, await pipeline.execute(), strict=True):
                _count(seen, key, left)
    faults = [_fault(each) for each in seen if each.wrong]
    total = ", ".join(f"{each.keys} {each.name}" for each in seen)
    return faults or [good("expiries", f"all keys that must expire do, in time ({total})")]


async def _pages(redis: Redis) -> AsyncIterator[list[str]]:
    for pattern in PATTERNS:
        cursor: Any = 0
        while True:
            cursor, keys = await redis.scan(cursor, match=pattern, count=PAGE)
            if keys:
                yield [str(key) for key in keys]
            if int(cursor) == 0:
                break


def _count(seen: list[Seen], key: str, left_ms: int) -> None:
    for each, (_, pattern, _bound) in zip(seen, BOUNDS, strict=True):
        if pattern.fullmatch(key):
            each.add(key, left_ms)
            return


def _fault(seen: Seen) -> Finding:
    parts = []
    if seen.lasting:
        parts.append(f"never expire, such as {', '.join(seen.lasting)}")
    if seen.late:
        parts.append(f"expire later than in {seen.bound} s, such as {', '.join(seen.late)}")
    found = f"{seen.wrong} of {seen.keys} keys of {seen.name} " + "; ".join(parts)
    return failed("expiries", found, "who else writes to this Redis? Delete them: nothing is lost")
