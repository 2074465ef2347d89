"""A stream as the comparison reads it: pages of its entries, its length and its ends."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from generated.events import STREAMS
from generated.runtime.events import entry_fields, longest

PAGE = 500
LAST = 2**64 - 1  # the highest second part of an id


@dataclass(frozen=True, slots=True)
class Entry:
    """`number` is the place of an id's first part; ours have 0 as the second."""

    number: int
    part: int
    fields: dict[str, str]

    @property
    def id(self) -> str:
        return f"{self.number}-{self.part}"

    def is_of(self, body: dict[str, Any]) -> bool:
        """Whether it says what the table has; how its JSON is written is no difference."""
        expected = entry_fields(body)
        if self.fields == expected:
            return True
        try:
            payload = orjson.loads(self.fields["payload"])
        except (KeyError, orjson.JSONDecodeError):
            return False
        same = {**self.fields, "payload": ""} == {**expected, "payload": ""}
        return same and bool(payload == body["payload"])


@dataclass(frozen=True, slots=True)
class Extent:
    """`first` is 0 where there is no entry. `cut`: older ones may be gone, since as many were added
    as it keeps; what was erased of them shortens it."""

    first: int
    cut: bool


async def extent(redis: Redis, stream: str) -> Extent:
    """Raises ResponseError where the key is no stream."""
    try:
        info: Any = await redis.xinfo_stream(stream)
    except ResponseError as error:
        if "no such key" not in str(error):
            raise
        return Extent(0, cut=False)
    first = _entry(info["first-entry"]).number if info["first-entry"] else 0
    return Extent(first, cut=info["entries-added"] >= longest(STREAMS, stream))


async def entries(redis: Redis, stream: str, first: int, last: int) -> AsyncIterator[Entry]:
    """Those of these positions, in order, a page at a time."""
    start, end = f"{first}-0", f"{last}-{LAST}"
    while True:
        found: Any = await redis.xrange(stream, start, end, count=PAGE)
        for pair in found:
            yield _entry(pair)
        if len(found) < PAGE:
            return
        start = f"({found[-1][0]}"


async def newest(redis: Redis, stream: str) -> int:
    found: Any = await redis.xrevrange(stream, count=1)
    return _entry(found[0]).number if found else 0


async def ids(redis: Redis, stream: str, numbers: list[int]) -> set[int]:
    """Those of `numbers` that are there."""
    async with redis.pipeline(transaction=False) as pipeline:
        for number in numbers:
            pipeline.xrange(stream, f"{number}-0", f"{number}-0")
        answers = await pipeline.execute()
    return {number for number, answer in zip(numbers, answers, strict=True) if answer}


async def names(redis: Redis) -> set[str]:
    """Of all streams in Redis that are the core's by their keys."""
    found: set[str] = set()
    async for key in redis.scan_iter(count=1000, _type="stream"):
        if any(stream.holds(str(key)) for stream in STREAMS):
            found.add(str(key))
    return found


def _entry(pair: Any) -> Entry:
    number, part = str(pair[0]).split("-")
    return Entry(int(number), int(part), pair[1] or {})
