"""One stream against the outbox, page by page, while the relay goes on.

Looked at is what the table says was sent when the comparison began: what comes later is under way.
What seems to differ is looked at once more in the end, for meanwhile a stream may have been cut, a
row have left the table, or the relay have found that Redis lost something.
"""

from collections.abc import AsyncIterator
from typing import TypeVar
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from generated.runtime.events import entry_fields
from impl.db import Executor
from impl.events.comparison import entries, queries
from impl.events.comparison.entries import Entry
from impl.events.comparison.queries import Bounds, Row
from impl.events.comparison.report import Difference, Report

T = TypeVar("T")

PAGE = 500
SUSPECTS = 1000  # are looked at again; where there are more, nothing is under way


class Comparison:
    def __init__(self, executor: Executor, redis: Redis, stream: str) -> None:
        self._executor = executor
        self._redis = redis
        self._stream = stream
        self._report = Report(stream)
        self._missing: list[int] = []
        self._extra: list[tuple[int, Difference]] = []
        self._gaps: list[tuple[int, int]] = []

    async def run(self) -> Report:
        try:
            await self._run()
        except ResponseError as error:
            if not str(error).startswith("WRONGTYPE"):
                raise
            self._report.add(Difference("missing", "all", "its key in Redis is no stream"))
        return self._report

    async def _run(self) -> None:
        known = await queries.bounds(self._executor, self._stream)
        found = await entries.extent(self._redis, self._stream)
        if known.oldest is not None and known.oldest <= known.published:
            first = max(known.oldest, found.first) if found.cut else known.oldest
            await self._merge(first, known.published)
        await self._look_again()
        await self._beyond()

    async def _merge(self, first: int, last: int) -> None:
        self._report.first, self._report.last = first, last
        rows, stream = (
            self._rows(first, last),
            entries.entries(self._redis, self._stream, first, last),
        )
        expected = first
        row, entry = await _next(rows), await _next(stream)
        while row is not None or entry is not None:
            if entry is None or (row is not None and row.position < entry.number):
                assert row is not None  # noqa: S101  # for the types: one of them is there
                if row.body:
                    self._suspect_missing(row.position)
                expected = self._gap(expected, row.position)
                row = await _next(rows)
            elif row is None or entry.number < row.position or entry.part:
                self._suspect_extra(entry)
                entry = await _next(stream)
            else:
                if row.body:
                    await self._hold_against(row, entry)
                else:
                    self._suspect_extra(entry)
                expected = self._gap(expected, row.position)
                row, entry = await _next(rows), await _next(stream)
        self._gap(expected, last + 1)

    async def _rows(self, first: int, last: int) -> AsyncIterator[Row]:
        after = first - 1
        while True:
            found = await queries.page(self._executor, self._stream, after, last, PAGE)
            for row in found:
                yield row
            if len(found) < PAGE:
                return
            after = found[-1].position

    def _gap(self, expected: int, position: int) -> int:
        """The position that is due after this one."""
        if position > expected and len(self._gaps) < SUSPECTS:
            self._gaps.append((expected, position - 1))
        return position + 1

    async def _hold_against(self, row: Row, entry: Entry) -> None:
        if entry.is_of(row.body):
            self._report.agree += 1
            return
        said = entry.fields.get("event_id", "")
        if said == str(row.event_id):
            names, body = {*entry.fields, *row.body}, entry_fields(row.body)
            differing = sorted(n for n in names if entry.fields.get(n) != body.get(n))
            detail = f"event {said}, in {', '.join(differing)}"
            self._report.add(Difference("unequal", entry.id, detail))
            return
        place = await self._place(said)
        if place is None:
            detail = f"event {said or 'without an id'}, which the table does not have here"
            self._report.add(Difference("unequal", entry.id, detail))
        else:
            detail = f"event {said}, whose position is {place}"
            self._report.add(Difference("out_of_order", entry.id, detail))

    async def _place(self, event_id: str) -> int | None:
        try:
            return await queries.place(self._executor, self._stream, UUID(event_id))
        except ValueError:
            return None

    def _suspect_missing(self, position: int) -> None:
        if len(self._missing) < SUSPECTS:
            self._missing.append(position)
        else:
            self._report.add(Difference("missing", f"{position}-0"))

    def _suspect_extra(self, entry: Entry) -> None:
        if len(self._extra) < SUSPECTS and not entry.part:
            self._extra.append((entry.number, _extra(entry)))
        else:
            self._report.add(_extra(entry))

    async def _look_again(self) -> None:
        """Redis first: what the table says after that held when Redis was read."""
        there = await entries.ids(self._redis, self._stream, self._missing)
        found = await entries.extent(self._redis, self._stream)
        rows = [*self._missing, *(number for number, _ in self._extra)]
        present = await queries.present(self._executor, self._stream, rows)
        known = await queries.bounds(self._executor, self._stream)
        for position in self._missing:
            cut = found.cut and position < found.first
            lost = position in present.kept and position not in there and not cut
            if lost and position <= known.published:  # else the relay is filling it again
                self._report.add(Difference("missing", f"{position}-0"))
        oldest = known.assigned + 1 if known.oldest is None else known.oldest
        # Of what was erased Redis is asked once more: it was taken out before the table says so.
        left = await entries.ids(self._redis, self._stream, sorted(present.gone))
        for number, extra in self._extra:
            unknown = number not in present.all and number >= oldest
            if unknown or number in left:
                self._report.add(extra)
        for first, last in self._gaps:
            if last >= oldest:
                self._report.add(_gap(max(first, oldest), last), last - max(first, oldest) + 1)

    async def _beyond(self) -> None:
        """An entry whose position nobody gave is somebody else's: positions are committed first."""
        last = await entries.newest(self._redis, self._stream)
        known: Bounds = await queries.bounds(self._executor, self._stream)
        if last <= known.assigned:
            return
        async for entry in entries.entries(self._redis, self._stream, known.assigned + 1, last):
            self._report.add(_extra(entry))


def _extra(entry: Entry) -> Difference:
    event_id = entry.fields.get("event_id")
    return Difference("extra", entry.id, f"event {event_id}" if event_id else "no event of ours")


def _gap(first: int, last: int) -> Difference:
    at = f"{first}" if first == last else f"{first} to {last}"
    return Difference("gap", at, "no row has it")


async def _next(items: AsyncIterator[T]) -> T | None:
    return await anext(items, None)


async def compare(executor: Executor, redis: Redis) -> AsyncIterator[Report]:
    """Each stream that the table or Redis has. Raises what either raises."""
    in_redis = await entries.names(redis)
    for stream in sorted({*await queries.names(executor), *in_redis}):
        yield await Comparison(executor, redis, stream).run()
