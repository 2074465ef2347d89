"""Following events over HTTP: which are told, to whom, and how a stream begins and ends."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from impl.feed import feed as feeds
from impl.feed import stream as streams
from impl.feed.places import Places
from impl.tokens.issue import issue
from tests.integration.feed.conftest import Follow
from tests.integration.feed.following import PATH, Follower, Reporter, happen, take
from tests.integration.tokens.rows import make_plugin
from tests.patience import PATIENT_SECONDS
from tests.scrape import read
from tests.stack import Answer, Api

LIST = "/api/v1/plugins/events"


async def test_an_event_is_told_as_the_list_tells_it(
    api: Api, operator: Follower, plugin: Reporter
) -> None:
    async with operator.connected(api.url) as events:
        event_id = await plugin.happen(7, severity="warning", dialog_id=uuid4())
        told = await anext(events)
    page = await api.send("GET", LIST, headers=operator.headers)
    assert told.item == page.json["items"][0]
    assert told.item["event_id"] == str(event_id)
    assert told.item["payload"] == {"number": 7}
    assert told.event == "plugin_custom_paid"
    assert re.fullmatch("[A-Za-z0-9_-]{1,64}", told.id)


async def test_its_headers_are_those_of_a_stream(api: Api, operator: Follower) -> None:
    async with operator.connected(api.url):
        assert operator.response is not None
        headers = operator.response.headers
    assert headers["Content-Type"] == "text/event-stream"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    UUID(headers["X-Trace-Id"])
    assert "Content-Length" not in headers


async def test_it_begins_now(api: Api, operator: Follower, plugin: Reporter) -> None:
    await plugin.happen(1)
    await plugin.numbered()
    async with operator.connected(api.url) as events:
        await plugin.happen(2)
        assert (await anext(events)).item["payload"] == {"number": 2}


async def test_it_goes_on_after_any_event_and_after_its_beginning(
    api: Api, operator: Follower, plugin: Reporter
) -> None:
    async with operator.connected(api.url) as events:
        beginning = operator.last_id
        for number in range(10):
            await plugin.happen(number)
        first = await take(events, 10)
    for after, place in enumerate([beginning, *(told.id for told in first)]):
        operator.last_id = place
        async with operator.connected(api.url, max_seconds=0) as events:
            again = [told async for told in events]
        assert [told.item for told in again] == [told.item for told in first[after:]]
        assert [told.id for told in again] == [told.id for told in first[after:]]


async def test_only_what_fits_all_filters_is_told(
    api: Api, operator: Follower, plugin: Reporter
) -> None:
    """The same filters as the list's, also of what was missed."""
    other, dialog = await make_plugin(plugin.pool), uuid4()
    moment = datetime(2024, 2, 29, 12, tzinfo=UTC)
    fits: dict[str, Any] = {
        "severity": "critical",
        "event_type": "plugin_custom_lost",
        "dialog_id": dialog,
        "occurred_at": moment.isoformat(),
    }
    filters = {
        "plugin_id": str(plugin.id),
        "severity": "critical",
        "event_type": "plugin_custom_lost",
        "dialog_id": str(dialog).upper(),
        "from": "2024-02-29T12:00:00Z",
        "to": "2024-02-29T12:00:00.000001Z",
    }
    async with operator.connected(api.url, **filters) as events:
        beginning = operator.last_id
        await happen(plugin.pool, other, **fits)
        for name, value in (
            ("severity", "info"),
            ("event_type", "plugin_custom_los"),
            ("dialog_id", uuid4()),
            ("occurred_at", (moment - timedelta(microseconds=1)).isoformat()),
            ("occurred_at", (moment + timedelta(microseconds=1)).isoformat()),
        ):
            await plugin.happen(**{**fits, name: value})
        wanted = await plugin.happen(**fits)
        assert (await anext(events)).item["event_id"] == str(wanted)
    operator.last_id = beginning
    async with operator.connected(api.url, max_seconds=0, **filters) as events:
        assert [told.item["event_id"] async for told in events] == [str(wanted)]


async def test_a_plugin_sees_the_payloads_of_its_own_events_only(
    api: Api, operator: Follower, follow_as: Follow, plugin: Reporter
) -> None:
    other = await make_plugin(plugin.pool)
    one, two = await follow_as(plugin.id), await follow_as(other)
    async with (
        operator.connected(api.url) as all_,
        one.connected(api.url) as ones,
        two.connected(api.url) as twos,
    ):
        beginning = one.last_id
        await plugin.happen(1)
        await happen(plugin.pool, other, 2)
        payloads = [
            [told.item["payload"] for told in await take(events, 2)]
            for events in (all_, ones, twos)
        ]
    assert payloads == [
        [{"number": 1}, {"number": 2}],
        [{"number": 1}, None],
        [None, {"number": 2}],
    ]
    two.last_id = beginning  # of another reader: a place is a place
    async with two.connected(api.url, max_seconds=0) as twos:
        assert [told.item["payload"] async for told in twos] == payloads[2]


async def test_it_ends_after_max_seconds(api: Api, operator: Follower) -> None:
    async with asyncio.timeout(10), operator.connected(api.url, max_seconds=1) as events:
        assert [told async for told in events] == []
    metrics = read((await api.send("GET", "/metrics")).raw)
    assert metrics.value("botcore_event_streams_ended_total", end="max_seconds") == 1
    assert metrics.value("botcore_event_streams") == 0


async def test_signs_of_life_move_the_place_on_where_nothing_fits(
    api: Api, operator: Follower, monkeypatch: pytest.MonkeyPatch, plugin: Reporter, places: Places
) -> None:
    monkeypatch.setattr(streams, "KEEP_ALIVE_SECONDS", 0.05)
    async with operator.connected(api.url, event_type="plugin_custom_never") as events:
        waiting = asyncio.ensure_future(anext(events))
        await plugin.happen()
        await plugin.numbered()
        newest = await plugin.pool.fetchval("SELECT max(position) FROM feed")
        while operator.last_id is None or places.read(operator.last_id) < newest:  # noqa: ASYNC110  # no event tells of it
            await asyncio.sleep(0.01)
        waiting.cancel()
    assert set(operator.comments) == {"keep-alive"}


async def refused(api: Api, headers: dict[str, str], **query: Any) -> Answer:
    answer = await api.send("GET", PATH, params=query, headers=headers)
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer


@pytest.mark.parametrize("place", ["AAAA", "x" * 22, "e" * 64])
async def test_an_id_that_was_not_given_here_is_refused(
    api: Api, operator: Follower, place: str
) -> None:
    answer = await refused(api, operator.headers | {"Last-Event-ID": place})
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    fault = answer.json["errors"][0]
    assert (fault["location"], fault["pointer"]) == ("header", "/Last-Event-ID")


async def test_the_empty_id_and_one_of_other_signs_are_refused(
    api: Api, operator: Follower
) -> None:
    for place in ("", "a b", "x" * 65):
        answer = await refused(api, operator.headers | {"Last-Event-ID": place})
        assert (answer.status, answer.json["code"]) == (422, "validation_failed")


async def test_a_place_that_is_no_longer_kept_or_not_here_yet_is_told_so(
    api: Api, operator: Follower, plugin: Reporter, places: Places
) -> None:
    for number in range(4):
        await plugin.happen(number)
    await plugin.numbered()
    positions = [row[0] for row in await plugin.pool.fetch("SELECT position FROM feed ORDER BY 1")]
    await plugin.pool.execute("DELETE FROM feed WHERE position < $1", positions[2])
    for position in (0, positions[1], positions[-1] + 1):
        answer = await refused(api, operator.headers | {"Last-Event-ID": places.write(position)})
        assert (answer.status, answer.json["code"]) == (422, "last_event_id_expired")
    operator.last_id = places.write(positions[2])
    async with operator.connected(api.url, max_seconds=0) as events:
        assert [told.item["payload"]["number"] async for told in events] == [2, 3]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"max_seconds": "-1"}, "/max_seconds"),
        ({"max_seconds": "3601"}, "/max_seconds"),
        ({"severity": "fatal"}, "/severity"),
        ({"limit": "1"}, "/limit"),
        ({"cursor": "AAAA"}, "/cursor"),
        ({"from": "2024-02-29T12:00:00Z", "to": "2024-02-29T12:00:00Z"}, "/to"),
    ],
)
async def test_a_wrong_parameter_is_pointed_at(
    api: Api, operator: Follower, query: dict[str, str], pointer: str
) -> None:
    answer = await refused(api, operator.headers, **query)
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer]


async def test_who_may_not_follow(api: Api, plugin: Reporter) -> None:
    token = await issue(plugin.pool, "plugin", subject_id=plugin.id, scopes=["telemetry:write"])
    key = await issue(plugin.pool, "admin", scopes=["audit:read"])
    for headers, status, code in (
        ({}, 401, "missing_credentials"),
        ({"X-Bot-Token": api.bot_token}, 401, "missing_credentials"),
        ({"X-Admin-Key": key.plaintext}, 403, "insufficient_scope"),
        ({"Authorization": f"Bearer {token.plaintext}"}, 403, "insufficient_scope"),
    ):
        answer = await refused(api, headers)
        assert (answer.status, answer.json["code"]) == (status, code)


async def status_of(follower: Follower, url: str) -> int:
    async with follower.session.get(url + PATH, headers=follower.headers) as answer:
        return answer.status


async def test_a_token_has_so_many_streams_and_a_closed_one_makes_room(
    api: Api, operator: Follower, follow_as: Follow, plugin: Reporter
) -> None:
    for follower in (operator, await follow_as(plugin.id)):
        held = [follower.connected(api.url) for _ in range(3)]
        for each in held:
            await each.__aenter__()
            follower.last_id = None
        answer = await refused(api, follower.headers)
        assert (answer.status, answer.json["code"]) == (429, "too_many_streams")
        assert answer.headers.getall("RateLimit") == ['"streams";r=0;t=5']
        assert answer.headers["RateLimit-Policy"] == '"streams";q=3;w=5'
        assert answer.headers["Retry-After"] == "5"
        await held[0].__aexit__(None, None, None)
        async with asyncio.timeout(10):
            while await status_of(follower, api.url) != 200:  # noqa: ASYNC110  # no event tells of it
                await asyncio.sleep(0.01)
        for each in held[1:]:
            await each.__aexit__(None, None, None)


@pytest.fixture
def quick_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "TOKENS_SECONDS", 0.05)


@pytest.mark.usefixtures("quick_checks")
async def test_a_token_that_is_revoked_or_narrowed_is_told_no_more(
    api: Api, plugin: Reporter
) -> None:
    changes = ("revoked_at = now()", "scopes = '{plugins:read}'", "expires_at = now()")
    for change in changes:
        token = await issue(plugin.pool, "plugin", subject_id=plugin.id, scopes=["telemetry:read"])
        follower = Follower(api.session, {"Authorization": f"Bearer {token.plaintext}"})
        async with asyncio.timeout(20), follower.connected(api.url) as events:
            await plugin.pool.execute(f"UPDATE tokens SET {change} WHERE id = $1", token.id)
            assert [told async for told in events] == []
    metrics = read((await api.send("GET", "/metrics")).raw)
    assert metrics.value("botcore_event_streams_ended_total", end="token") == len(changes)


@pytest.fixture
def rare_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "TOKENS_SECONDS", 2 * PATIENT_SECONDS)


@pytest.mark.usefixtures("rare_checks")
async def test_a_revoked_token_is_not_waited_for(api: Api, plugin: Reporter) -> None:
    """The table tells its change; the look of every TOKENS_SECONDS is for what merely expires."""
    token = await issue(plugin.pool, "plugin", subject_id=plugin.id, scopes=["telemetry:read"])
    follower = Follower(api.session, {"Authorization": f"Bearer {token.plaintext}"})
    soon = asyncio.timeout(PATIENT_SECONDS)
    async with soon, follower.connected(api.url) as events:
        await plugin.pool.execute("UPDATE tokens SET revoked_at = now() WHERE id = $1", token.id)
        assert [told async for told in events] == []


async def test_a_client_that_leaves_frees_everything(
    api: Api, operator: Follower, plugin: Reporter
) -> None:
    for _ in range(3):
        async with operator.connected(api.url) as events:
            await plugin.happen()
            await anext(events)
        assert operator.response is not None
        operator.response.close()

    async def open_streams() -> float | None:
        scrape = read((await api.send("GET", "/metrics")).raw)
        return scrape.value("botcore_event_streams")

    async with asyncio.timeout(10):
        while await open_streams():  # noqa: ASYNC110  # no event tells of it
            await asyncio.sleep(0.01)
    assert not [task for task in asyncio.all_tasks() if "_send_all" in repr(task.get_coro())]


async def test_a_stream_is_charged_to_its_plugin_once(
    api: Api, follow_as: Follow, plugin: Reporter
) -> None:
    follower = await follow_as(plugin.id)
    async with follower.connected(api.url):
        assert follower.response is not None
        assert "RateLimit" in follower.response.headers


async def test_head_and_post_are_not_served(api: Api, operator: Follower) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(api.url + PATH, headers=operator.headers) as answer,
    ):
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")
