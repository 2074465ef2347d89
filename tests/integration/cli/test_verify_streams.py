"""`botcore verify-streams` finds each way in which streams and tables may have parted."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from generated.events import STREAMS
from generated.metrics import make_metrics
from impl.events import streams
from impl.events.comparison import entries
from impl.events.comparison import stream as comparison
from impl.events.comparison.report import Report
from impl.events.comparison.stream import compare
from impl.events.relay import Relay
from impl.process import end
from tests.integration.api.test_relay import heartbeat
from tests.integration.cli.commands import botcore
from tests.servers import valkey_server

STREAM = "plugin:events"
NUMBER = 30


@pytest_asyncio.fixture(scope="session")
async def own_valkey() -> AsyncIterator[str]:
    """A server that only these tests use: they flush it."""
    async with valkey_server() as url:
        yield url


@dataclass
class Case:
    """A table and a stream that agree, for a test to part."""

    pool: asyncpg.Pool
    redis: Any
    relay: Relay

    async def add(self, number: int) -> None:
        bodies = [heartbeat(each) for each in range(number)]
        rows = [(body["event_id"], STREAM, body) for body in bodies]
        await self.pool.executemany(
            "INSERT INTO outbox (event_id, stream, body) VALUES ($1::uuid, $2, $3)", rows
        )

    async def publish(self) -> None:
        while await self.relay.drain_once():
            pass

    async def reports(self) -> list[Report]:
        return [report async for report in compare(self.pool, self.redis)]

    async def differences(self) -> list[tuple[str, str]]:
        return [(each.kind, each.at) for report in await self.reports() for each in report.shown]

    async def body(self, position: int) -> dict[str, str]:
        found: dict[str, str] = (await self.redis.xrange(STREAM, position, position))[0][1]
        return found

    async def rewrite(self, change: Callable[[list[tuple[str, Any]]], None]) -> None:
        """The stream again, with `change` done to its entries."""
        kept = await self.redis.xrange(STREAM)
        change(kept)
        await self.redis.delete(STREAM)
        for entry_id, fields in kept:
            await self.redis.xadd(STREAM, fields, id=entry_id)


@pytest_asyncio.fixture
async def case(pool: asyncpg.Pool, own_valkey: str) -> AsyncIterator[Case]:
    async with Redis.from_url(own_valkey, decode_responses=True) as client:
        await client.flushall()
        relay = Relay(pool, client, batch=100, poll_seconds=0.01, metrics=make_metrics())
        made = Case(pool, client, relay)
        await made.add(NUMBER)
        await made.publish()
        yield made


async def test_what_agrees_passes_however_many_pages(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "PAGE", 7)
    monkeypatch.setattr(comparison, "PAGE", 5)
    (report,) = await case.reports()
    assert (report.first, report.last, report.agree) == (1, NUMBER, NUMBER)
    assert report.lines() == ["✓ plugin:events: 30 entries agree (1 to 30)"]


async def entry_is_gone(case: Case) -> None:
    await case.redis.xdel(STREAM, "1-0", "7-0", "30-0")


async def stream_is_gone(case: Case) -> None:
    await case.redis.delete(STREAM)


async def entry_of_another(case: Case) -> None:
    await case.redis.xadd(STREAM, {"hello": "world"}, id="1000-0")


async def entry_between(case: Case) -> None:
    await case.rewrite(lambda kept: kept.insert(7, ("7-1", {"hello": "world"})))


async def row_is_gone(case: Case) -> None:
    await case.pool.execute("DELETE FROM outbox WHERE position IN (7, 8)")


async def two_have_changed_places(case: Case) -> None:
    def swap(kept: list[tuple[str, Any]]) -> None:
        kept[3], kept[4] = (kept[3][0], kept[4][1]), (kept[4][0], kept[3][1])

    await case.rewrite(swap)


async def member_is_changed(case: Case) -> None:
    await case.rewrite(lambda kept: kept[3][1].update(severity="critical"))


async def payload_is_changed(case: Case) -> None:
    await case.rewrite(lambda kept: kept[3][1].update(payload='{"queue_depth": 99}'))


async def payload_is_no_json(case: Case) -> None:
    await case.rewrite(lambda kept: kept[3][1].update(payload="{"))


async def event_is_unknown(case: Case) -> None:
    await case.rewrite(lambda kept: kept[3][1].update(event_id=str(uuid4())))


async def positions_are_skipped(case: Case) -> None:
    await case.pool.execute("UPDATE streams SET last_position = 35")
    await case.add(1)
    await case.publish()


async def unknown_stream(case: Case) -> None:
    await case.redis.xadd(f"plugin:invocations:{uuid4()}", {"a": "b"}, id="5-0")


async def key_is_no_stream(case: Case) -> None:
    await case.redis.set(STREAM, "text")


EVERY = [("missing", f"{at}-0") for at in range(1, 21)]  # so many are shown
PARTED: dict[str, tuple[Callable[[Case], Awaitable[None]], list[tuple[str, str]]]] = {
    "entries are gone": (
        entry_is_gone,
        [("missing", "1-0"), ("missing", "7-0"), ("missing", "30-0")],
    ),
    "the stream is gone": (stream_is_gone, EVERY),
    "an entry of somebody else": (entry_of_another, [("extra", "1000-0")]),
    "an entry in between": (entry_between, [("extra", "7-1")]),
    "rows are gone": (row_is_gone, [("extra", "7-0"), ("extra", "8-0"), ("gap", "7 to 8")]),
    "two changed places": (
        two_have_changed_places,
        [("out_of_order", "4-0"), ("out_of_order", "5-0")],
    ),
    "a member is changed": (member_is_changed, [("unequal", "4-0")]),
    "a payload is changed": (payload_is_changed, [("unequal", "4-0")]),
    "a payload is no JSON": (payload_is_no_json, [("unequal", "4-0")]),
    "an event is unknown": (event_is_unknown, [("unequal", "4-0")]),
    "positions are skipped": (positions_are_skipped, [("gap", "31 to 35")]),
    "a stream that no table knows": (unknown_stream, [("extra", "5-0")]),
    "a key of another type": (key_is_no_stream, [("missing", "all")]),
}


@pytest.mark.parametrize("name", PARTED)
async def test_what_has_parted_is_told(name: str, case: Case) -> None:
    part, expected = PARTED[name]
    await part(case)
    assert await case.differences() == expected


async def test_json_that_is_written_otherwise_is_the_same(case: Case) -> None:
    def respell(kept: list[tuple[str, Any]]) -> None:
        kept[3][1]["payload"] = json.dumps(json.loads(kept[3][1]["payload"]), indent=3)

    await case.rewrite(respell)
    assert await case.differences() == []


async def test_what_is_under_way_is_no_difference(case: Case) -> None:
    """Numbered and not sent, or sent and not noted yet: the relay died in between."""
    await case.add(3)
    await case.pool.execute("UPDATE streams SET last_position = 33")
    await case.pool.execute(
        "UPDATE outbox SET position = 30 + numbered.place FROM (SELECT id, row_number() OVER"
        " (ORDER BY id) AS place FROM outbox WHERE position IS NULL) AS numbered"
        " WHERE outbox.id = numbered.id"
    )
    assert await case.differences() == []
    body = await case.pool.fetchval("SELECT body FROM outbox WHERE position = 31")
    entry = streams.Entry(31, body["event_id"], body)
    await streams.append(case.redis, STREAM, 30, [entry])
    assert await case.differences() == []


async def test_what_left_the_streams_window_is_no_difference(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    await case.redis.xtrim(STREAM, maxlen=10, approximate=False)
    assert len(await case.differences()) == 20
    monkeypatch.setattr(entries, "longest", lambda _streams, _key: 10)
    (report,) = await case.reports()
    assert (report.differs, report.first, report.agree) == (False, 21, 10)
    assert STREAMS


async def erase(case: Case, first: int, last: int) -> None:
    """As an erasure does with the events of a user."""
    await case.pool.execute(
        "UPDATE outbox SET body = '{}', published_at = NULL WHERE position BETWEEN $1 AND $2",
        first,
        last,
    )


@pytest.mark.parametrize("position", [1, 7, NUMBER])
async def test_what_was_erased_has_a_place_and_no_entry(case: Case, position: int) -> None:
    await erase(case, position, position)
    assert await case.differences() == [], "it waits to be taken out"
    await case.publish()
    assert await case.redis.xlen(STREAM) == NUMBER - 1
    (report,) = await case.reports()
    assert (report.differs, report.agree) == (False, NUMBER - 1)
    await case.redis.flushall()
    await case.relay.check_streams()
    await case.publish()
    (report,) = await case.reports()
    assert (report.differs, report.agree) == (False, NUMBER - 1)


async def test_what_was_erased_and_is_still_there_is_a_difference(case: Case) -> None:
    await case.pool.execute("UPDATE outbox SET body = '{}' WHERE position = 9")
    assert await case.differences() == [("extra", "9-0")]


async def test_what_was_erased_of_a_full_stream_makes_none_of_it_missing(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    await case.redis.xtrim(STREAM, maxlen=10, approximate=False)
    await erase(case, 23, 28)
    await case.publish()
    monkeypatch.setattr(entries, "longest", lambda _streams, _key: 10)
    (report,) = await case.reports()
    assert (report.differs, report.agree) == (False, 4)


async def test_what_was_erased_is_taken_out_of_a_stream_that_is_ahead(case: Case) -> None:
    """Of a restored database: what it has sent since is in the stream, and it knows nothing of."""
    await case.redis.xadd(STREAM, {"event_id": "of before"}, id="31-0")
    await erase(case, 5, 5)
    await case.add(2)
    await case.publish()
    assert await case.redis.xrange(STREAM, 5, 5) == []
    assert await case.redis.xlen(STREAM) == NUMBER + 2
    assert await case.differences() == [("extra", "31-0"), ("gap", "31 to 32")]


async def test_an_erased_place_that_another_event_took_is_left_alone(case: Case) -> None:
    """The database was restored since: the relay puts what it has behind that."""
    await case.rewrite(lambda kept: kept[-1][1].update(event_id=str(uuid4())))
    await erase(case, NUMBER, NUMBER)
    await case.publish()
    assert await case.redis.xlen(STREAM) == NUMBER
    assert await case.body(NUMBER)


async def test_what_left_the_table_is_no_difference(case: Case) -> None:
    await case.pool.execute("DELETE FROM outbox WHERE position <= 12")
    (report,) = await case.reports()
    assert (report.differs, report.first, report.agree) == (False, 13, 18)


async def test_it_tells_the_truth_while_the_relay_works_and_rows_leave(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "PAGE", 10)
    monkeypatch.setattr(comparison, "PAGE", 10)
    running = asyncio.create_task(case.relay.run())

    async def churn() -> None:
        while True:
            await case.add(20)
            await case.pool.execute(
                "DELETE FROM outbox WHERE position < (SELECT published_position - 100 FROM streams)"
            )

    churning = asyncio.create_task(churn())
    try:
        agreed = 0
        for _ in range(30):
            for report in await case.reports():
                assert report.lines()[0].startswith("✓"), report.lines()
                agreed += report.agree
        assert agreed > 500
    finally:
        await end(running, churning)


async def test_a_flushed_stream_differs_until_the_relay_has_filled_it(case: Case) -> None:
    await case.redis.flushall()
    assert (await case.differences())[0] == ("missing", "1-0")
    await case.relay.check_streams()
    assert await case.differences() == [], "now the relay knows: it is under way"
    await case.publish()
    (report,) = await case.reports()
    assert report.agree == NUMBER


async def test_more_than_is_shown_is_counted(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "SUSPECTS", 5)
    await case.redis.delete(STREAM)
    (report,) = await case.reports()
    assert report.counts["missing"] == NUMBER
    assert report.lines()[0] == "✗ plugin:events: 30 missing in the stream; 0 agree"
    assert report.lines()[-1] == "    … and 10 more"


class TestTheCommand:
    @pytest.fixture(autouse=True)
    def _where(self, database: str, own_valkey: str, tmp_path: Path) -> None:
        self.env = {"BOTCORE_DATABASE_URL": database, "BOTCORE_REDIS_URL": own_valkey}
        self.directory = tmp_path

    async def test_passes_and_fails_for_cron(self, case: Case) -> None:
        ended = await botcore("verify-streams", env=self.env, directory=self.directory)
        assert (ended.code, ended.err) == (0, "")
        assert ended.out == "✓ plugin:events: 30 entries agree (1 to 30)\n"
        await entry_is_gone(case)
        ended = await botcore("verify-streams", env=self.env, directory=self.directory)
        assert (ended.code, ended.err) == (1, "")
        assert ended.out.splitlines() == [
            "✗ plugin:events: 3 missing in the stream; 27 agree",
            "    missing 1-0",
            "    missing 7-0",
            "    missing 30-0",
        ]

    async def test_tells_it_to_programs(self, case: Case) -> None:
        await member_is_changed(case)
        ended = await botcore("verify-streams", "--json", env=self.env, directory=self.directory)
        told = json.loads(ended.out)
        assert (ended.code, told["agree"]) == (1, False)
        assert told["streams"][0]["differences"] == {"unequal": 1}
        assert told["streams"][0]["shown"][0]["at"] == "4-0"
        assert "in severity" in told["streams"][0]["shown"][0]["detail"]

    @pytest.mark.parametrize(
        "change",
        [
            {"BOTCORE_REDIS_URL": "redis://:s3cret@127.0.0.1:1/0"},
            {"BOTCORE_DATABASE_URL": "postgresql://me:s3cret@127.0.0.1:1/x"},
            {"BOTCORE_REDIS_URL": ""},
            {"BOTCORE_REDIS_URL": "redis://127.0.0.1:1/0?socket_timeout=s3cret"},
        ],
    )
    async def test_what_cannot_be_compared_is_no_pass(
        self, case: Case, change: dict[str, str]
    ) -> None:
        env = {**self.env, **change}
        ended = await botcore("verify-streams", env=env, directory=self.directory)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith("botcore: ")
        assert "s3cret" not in ended.err

    async def test_a_database_without_tables_is_no_pass(self, case: Case) -> None:
        await case.pool.execute("DROP TABLE streams")
        ended = await botcore("verify-streams", env=self.env, directory=self.directory)
        assert (ended.code, ended.out) == (2, "")
