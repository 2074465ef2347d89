"""Nothing is missed and nothing told twice, whatever happens to the stream and to the servers."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

from impl.app import create_app
from impl.feed import feed as feeds
from impl.feed import subscription as subscriptions
from impl.settings import Settings
from tests.integration.feed.following import Follower, Reporter, happen, numbering, take
from tests.stack import Api, serving, settings_for
from tests.wire import line_before, proxy_before

SEED = 20261127
WRITERS = 8


@asynccontextmanager
async def two_instances(settings: Settings) -> AsyncIterator[list[str]]:
    async with AsyncExitStack() as stack:
        apps = [create_app(settings) for _ in range(2)]
        yield [await stack.enter_async_context(serving(app)) for app in apps]


async def write(plugin: Reporter, numbers: range, dice: random.Random) -> None:
    """Transactions that overlap: each commits a while after it took its place in the tables, and
    some never."""
    for number in numbers:
        async with plugin.pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await happen(connection, plugin.id, number)
            await asyncio.sleep(dice.expovariate(200))
            if number % 10 == 9:
                await transaction.rollback()
            else:
                await transaction.commit()


def kept(numbers: range) -> list[int]:
    return [number for number in numbers if number % 10 != 9]


async def follow_until(follower: Follower, urls: list[str], count: int, dice: random.Random) -> int:
    """Reads on at either instance, and breaks each stream off at some point, until `count` events
    were told. Returns the number of streams."""
    streams = 0
    while len(follower.told) < count:
        streams += 1
        until = len(follower.told) + dice.randint(0, 40)
        async with follower.connected(dice.choice(urls), max_seconds=2) as events:
            while len(follower.told) < min(until, count):
                if await anext(events, None) is None:
                    break
            assert follower.response is not None
            follower.response.close()  # amid whatever is under way
    return streams


async def test_streams_that_break_off_at_any_point_lose_and_repeat_nothing(
    api: Api, operator: Follower, settings: Settings, plugin: Reporter
) -> None:
    """Two instances, eight writers whose transactions end in any order, two relays that number."""
    dice = random.Random(SEED)
    numbers = [range(first, first + 100) for first in range(0, WRITERS * 100, 100)]
    wanted = [number for each in numbers for number in kept(each)]
    async with (
        two_instances(settings) as urls,
        numbering(plugin.pool, settings),
        numbering(plugin.pool, settings),
        asyncio.timeout(120),
    ):
        async with operator.connected(urls[0]):
            beginning = operator.last_id
        async with asyncio.TaskGroup() as group:
            following = group.create_task(follow_until(operator, urls, len(wanted), dice))
            for each in numbers:
                group.create_task(write(plugin, each, dice))
        told = [each.item["payload"]["number"] for each in operator.told]
        assert sorted(told) == wanted
        assert following.result() > 10
        # Whoever reads it all at once is told the same, in the same order.
        again = Follower(operator.session, operator.headers, beginning)
        async with again.connected(urls[1], max_seconds=0) as events:
            await take(events, len(wanted))
            assert await anext(events, None) is None
    assert [each.item for each in again.told] == [each.item for each in operator.told]
    ids = [
        row[0] for row in await plugin.pool.fetch("SELECT event_id::text FROM outbox ORDER BY id")
    ]
    in_order = [each.item["event_id"] for each in again.told]
    assert in_order != [event_id for event_id in ids if event_id in set(in_order)]


async def test_what_a_transaction_holds_back_is_told_when_it_commits(
    api: Api, operator: Follower, plugin: Reporter
) -> None:
    """Its row is the older one; who went on after the newer one is told it all the same."""
    async with plugin.pool.acquire() as connection:
        slow = connection.transaction()
        await slow.start()
        await happen(connection, plugin.id, 1)
        async with operator.connected(api.url) as events:
            await plugin.happen(2)
            assert (await anext(events)).item["payload"] == {"number": 2}
        await slow.commit()
    async with operator.connected(api.url) as events:
        assert (await anext(events)).item["payload"] == {"number": 1}


async def test_without_redis_it_is_told_and_resumed_all_the_same(
    database: str, valkey: str, operator: Follower, plugin: Reporter
) -> None:
    async with line_before(valkey) as line:
        settings = settings_for(database, line.url)
        async with two_instances(settings) as urls, numbering(plugin.pool, settings):
            line.cut()
            for number, url in enumerate(urls * 2):
                async with operator.connected(url) as events:
                    await plugin.happen(number)
                    assert (await anext(events)).item["payload"] == {"number": number}
    assert len(operator.told) == 4


async def test_streams_stay_open_while_the_database_is_away(
    database: str,
    valkey: str,
    operator: Follower,
    monkeypatch: pytest.MonkeyPatch,
    plugin: Reporter,
) -> None:
    monkeypatch.setattr(feeds, "PAUSE_WHEN_AWAY_SECONDS", 0.05)
    async with proxy_before(database) as proxy:
        app = create_app(settings_for(proxy.dsn, valkey))
        async with serving(app) as url, operator.connected(url) as events:
            await plugin.happen(1)
            assert (await anext(events)).item["payload"] == {"number": 1}
            proxy.cut()
            await plugin.happen(2)
            proxy.mend()
            assert (await anext(events)).item["payload"] == {"number": 2}


async def test_idle_streams_hold_no_connection_and_ask_nothing_each(
    database: str, valkey: str, operator: Follower, plugin: Reporter
) -> None:
    """A hundred followers with one connection for all; what is told is read once for all."""
    async with proxy_before(database) as proxy:
        settings = settings_for(
            proxy.dsn, valkey, database_listen_url=database, database_pool_size=1,
            event_streams_per_token=100, catalogue_refresh_seconds=60, limits_refresh_seconds=60,
            token_refresh_seconds=30,
        )  # fmt: skip
        connector = aiohttp.TCPConnector(limit=0)
        async with (
            serving(create_app(settings)) as url,
            aiohttp.ClientSession(connector=connector) as session,
            AsyncExitStack() as stack,
        ):
            streams = [
                await stack.enter_async_context(Follower(session, operator.headers).connected(url))
                for _ in range(100)
            ]
            before = proxy.round_trips
            await plugin.happen(1)
            for events in streams:
                assert (await anext(events)).item["payload"] == {"number": 1}
            assert proxy.round_trips - before < 10


async def test_who_reads_slowly_is_ended_and_misses_nothing_and_holds_up_nobody(
    api: Api, operator: Follower, monkeypatch: pytest.MonkeyPatch, plugin: Reporter
) -> None:
    monkeypatch.setattr(subscriptions, "MOST_BYTES", 100_000)
    monkeypatch.setattr("generated.runtime.streams.SEND_SECONDS", 0.2)
    quick = Follower(operator.session, operator.headers)
    count, text = 400, "x" * 30_000
    async with operator.connected(api.url), quick.connected(api.url) as events:
        for number in range(count):
            await plugin.happen(number, payload={"number": number, "text": text})
            assert (await anext(events)).item["payload"]["number"] == number
        # 12 MB, and none of them read: the buffers of the kernel and of the client hold less.
    slow = operator
    while len(slow.told) < count:
        async with slow.connected(api.url) as events:
            try:
                async for _ in events:
                    if len(slow.told) == count:
                        break
            except aiohttp.ClientError:  # broken off
                pass
    assert [told.item["payload"]["number"] for told in slow.told] == list(range(count))
