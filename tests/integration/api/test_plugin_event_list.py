"""Reading what happened to plugins: whose payloads, which events, in what order."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
import pytest_asyncio

from impl.telemetry.queries.listing import Filters, statement
from impl.tokens.issue import issue
from tests.stack import Answer, Api, ScriptedPlugin

PATH = "/api/v1/plugins/events"
NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)


@dataclass
class Reader:
    """Somebody who may read events."""

    api: Api
    headers: dict[str, str]
    plugin_id: UUID | None = None

    async def read(self, **query: Any) -> Answer:
        return await self.api.send("GET", PATH, params=query, headers=self.headers)

    async def ids(self, **query: Any) -> list[str]:
        answer = await self.read(**query)
        assert answer.status == 200, answer.raw
        return [item["event_id"] for item in answer.json["items"]]


async def plugin_reader(
    api: Api, pool: asyncpg.Pool, url: str, name: str, scope: str = "telemetry:read"
) -> Reader:
    done = await api.add_plugin(url, name)
    plugin_id = UUID(done["plugin_id"])
    token = await issue(pool, "plugin", subject_id=plugin_id, scopes=[scope])
    return Reader(api, {"Authorization": f"Bearer {token.plaintext}"}, plugin_id)


@pytest_asyncio.fixture
async def weather(api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool) -> Reader:
    return await plugin_reader(api, pool, plugin.url, "weather")


@pytest_asyncio.fixture
async def news(api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool) -> Reader:
    return await plugin_reader(api, pool, plugin.url, "news")


@pytest_asyncio.fixture
async def operator(api: Api, pool: asyncpg.Pool) -> Reader:
    key = await issue(pool, "admin", scopes=["telemetry:read"])
    return Reader(api, {"X-Admin-Key": key.plaintext})


async def happened(pool: asyncpg.Pool, reader: Reader, **changed: Any) -> str:
    """One more event of the reader's plugin, ten years before any of the core's own."""
    row = {
        "event_type": "plugin_custom_paid",
        "severity": "info",
        "payload": {"amount": 7},
        "dialog_id": None,
        "occurred_at": NOON,
        **changed,
    }
    found: UUID = await pool.fetchval(
        """INSERT INTO plugin_events
           (plugin_id, source, event_type, severity, payload, dialog_id, occurred_at)
           VALUES ($1, 'plugin', $2, $3, $4, $5, $6) RETURNING id""",
        reader.plugin_id,
        *row.values(),
    )
    return str(found)


async def test_an_event_is_told_whole(
    weather: Reader, operator: Reader, pool: asyncpg.Pool
) -> None:
    dialog = uuid4()
    event = await happened(pool, weather, dialog_id=dialog, severity="critical")
    answer = await operator.read(dialog_id=str(dialog))
    received = answer.json["items"][0].pop("received_at")
    assert answer.json == {
        "items": [
            {
                "event_id": event,
                "plugin_id": str(weather.plugin_id),
                "dialog_id": str(dialog),
                "event_type": "plugin_custom_paid",
                "source": "plugin",
                "severity": "critical",
                "payload": {"amount": 7},
                "occurred_at": "2024-02-29T12:00:00Z",
            }
        ],
        "next_cursor": None,
    }
    assert datetime.fromisoformat(received) > NOON
    assert answer.headers["Cache-Control"] == "no-store"


async def test_what_the_core_and_the_plugin_say_stand_side_by_side(
    weather: Reader, operator: Reader, api: Api, plugin: ScriptedPlugin
) -> None:
    done = await api.add_plugin(plugin.url, "talker")
    plugin_id = done["plugin_id"]
    body = {"plugin_id": plugin_id, "status": "active"}
    headers = {"Authorization": f"Bearer {done['token']}"}
    path = f"/api/v1/plugins/{plugin_id}/heartbeat"
    assert (await api.send("POST", path, json=body, headers=headers)).status == 200
    answer = await operator.read(plugin_id=plugin_id)
    assert [(item["event_type"], item["source"]) for item in answer.json["items"]] == [
        ("plugin_heartbeat", "core"),
        ("plugin_registered", "core"),
    ]
    assert answer.json["items"][0]["payload"]["reported"] == "active"


async def test_a_plugin_sees_the_payloads_of_its_own_events_only(
    weather: Reader, news: Reader, operator: Reader, pool: asyncpg.Pool
) -> None:
    for reader in (weather, news):
        await happened(pool, reader)
    found = {
        name: {
            item["plugin_id"]: item["payload"]
            for item in (await reader.read(event_type="plugin_custom_paid")).json["items"]
        }
        for name, reader in (("weather", weather), ("news", news), ("operator", operator))
    }
    paid = {"amount": 7}
    one, other = str(weather.plugin_id), str(news.plugin_id)
    assert found == {
        "weather": {one: paid, other: None},
        "news": {one: None, other: paid},
        "operator": {one: paid, other: paid},
    }


async def test_each_filter_leaves_out_what_does_not_fit(
    weather: Reader, news: Reader, pool: asyncpg.Pool
) -> None:
    dialog = uuid4()
    await happened(pool, news)
    fits = await happened(
        pool,
        weather,
        event_type="plugin_custom_lost",
        severity="warning",
        dialog_id=dialog,
        occurred_at=NOON - timedelta(hours=1),
    )
    before = (NOON - timedelta(minutes=30)).isoformat()
    filters = {
        "plugin_id": str(weather.plugin_id),
        "event_type": "plugin_custom_lost",
        "severity": "warning",
        "dialog_id": str(dialog).upper(),
        "to": before,
    }
    for name, value in filters.items():
        found = await news.ids(**{name: value})
        assert fits in found, name
        assert found == [fits] or name == "plugin_id", name
    assert await news.ids(**filters) == [fits]
    for name, value in (
        ("plugin_id", str(news.plugin_id)),
        ("event_type", "plugin_custom_los"),
        ("severity", "critical"),
        ("dialog_id", str(uuid4())),
        ("to", (NOON - timedelta(hours=1)).isoformat()),
    ):
        assert await news.ids(**{**filters, name: value}) == [], name


async def test_a_span_holds_its_beginning_and_not_its_end(
    weather: Reader, operator: Reader, pool: asyncpg.Pool
) -> None:
    events = [
        await happened(pool, weather, occurred_at=NOON + timedelta(microseconds=number))
        for number in range(3)
    ]
    span = {"from": "2024-02-29T12:00:00Z", "to": "2024-02-29T14:00:00.000002+02:00"}
    assert await operator.ids(**span) == [events[1], events[0]]


@pytest.mark.parametrize(
    ("from_", "to"),
    [
        ("2024-02-29T12:00:00Z", "2024-02-29T11:59:59Z"),
        ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"),
        ("2024-02-29T12:00:00Z", "2024-02-29T13:00:00+02:00"),
    ],
)
async def test_a_span_that_holds_nothing_is_refused(operator: Reader, from_: str, to: str) -> None:
    answer = await operator.read(**{"from": from_, "to": to})
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    fault = answer.json["errors"][0]
    assert (fault["location"], fault["pointer"], fault["code"]) == (
        "query", "/to", "contradictory",
    )  # fmt: skip


async def test_it_comes_in_pages_the_newest_first_whatever_happens_meanwhile(
    weather: Reader, operator: Reader, pool: asyncpg.Pool
) -> None:
    # Three share their moment: the id decides.
    events = [
        (moment, await happened(pool, weather, occurred_at=moment))
        for moment in (NOON + timedelta(seconds=max(0, number - 2)) for number in range(7))
    ]
    query: dict[str, str] = {"limit": "2", "event_type": "plugin_custom_paid"}
    found: list[str] = []
    while True:
        page = (await operator.read(**query)).json
        found += [item["event_id"] for item in page["items"]]
        assert len(page["items"]) <= 2
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
        await happened(pool, weather, occurred_at=NOON + timedelta(hours=1))
    assert found == [event for _, event in sorted(events, reverse=True)]


async def test_a_cursor_is_of_this_list_its_filters_and_its_reader(
    weather: Reader, news: Reader, operator: Reader, api: Api, pool: asyncpg.Pool
) -> None:
    for _ in range(3):
        await happened(pool, weather)
    query = {"limit": "1", "severity": "info"}
    cursor = (await weather.read(**query)).json["next_cursor"]
    others = (await operator.read(**query)).json["next_cursor"]
    token = await issue(pool, "plugin", subject_id=weather.plugin_id, scopes=["plugins:read"])
    headers = {"Authorization": f"Bearer {token.plaintext}"}
    plugins = await api.send("GET", "/api/v1/plugins", params={"limit": "1"}, headers=headers)
    refused = [
        await news.read(**query, cursor=cursor),
        await operator.read(**query, cursor=cursor),
        await weather.read(**query, cursor=others),
        await weather.read(limit="1", cursor=cursor),
        await weather.read(severity="warning", cursor=cursor),
        await weather.read(**query, plugin_id=str(weather.plugin_id), cursor=cursor),
        await weather.read(**query, cursor=plugins.json["next_cursor"]),
        await weather.read(**query, cursor=cursor[:-2] + "AA"),
        await weather.read(**query, cursor="AAAA"),
    ]
    for answer in refused:
        assert (answer.status, answer.json["code"]) == (422, "validation_failed"), answer.raw
        assert answer.json["errors"][0]["code"] == "cursor_invalid"
    # The size of the page is the reader's own matter.
    assert (await weather.read(severity="info", limit="100", cursor=cursor)).status == 200


WRONG: list[tuple[dict[str, str], str]] = [
    ({"plugin_id": "x"}, "/plugin_id"),
    ({"dialog_id": ""}, "/dialog_id"),
    ({"event_type": "Paid"}, "/event_type"),
    ({"event_type": "a" * 129}, "/event_type"),
    ({"event_type": "x' OR true --"}, "/event_type"),
    ({"severity": "fatal"}, "/severity"),
    ({"severity": ""}, "/severity"),
    ({"from": "yesterday"}, "/from"),
    ({"from": "1700000000"}, "/from"),
    ({"from": "2024-02-29T12:00:00"}, "/from"),
    ({"to": "0001-01-01T00:00:00+14:00"}, "/to"),
    ({"limit": "0"}, "/limit"),
    ({"limit": "101"}, "/limit"),
    ({"cursor": "?"}, "/cursor"),
    ({"source": "core"}, "/source"),
]


@pytest.mark.parametrize(("query", "pointer"), WRONG)
async def test_a_wrong_parameter_is_pointed_at(
    operator: Reader, query: dict[str, str], pointer: str
) -> None:
    answer = await operator.read(**query)
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer]


@pytest.mark.parametrize(
    "span", [{"from": "0001-01-01T00:00:00.000001Z"}, {"to": "9999-12-31T23:59:59.999998Z"}]
)
async def test_the_ends_of_the_calendar_are_moments_too(
    operator: Reader, span: dict[str, str]
) -> None:
    assert (await operator.read(**span)).status == 200


@pytest.mark.parametrize(
    "span", [{"from": "0001-01-01T00:00:00Z"}, {"to": "9999-12-31T23:59:59.999999Z"}]
)
async def test_what_the_database_keeps_as_infinite_is_no_moment(
    operator: Reader, span: dict[str, str]
) -> None:
    answer = await operator.read(**span)
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "timestamp_range")


async def test_a_plugin_is_charged_and_an_operator_is_not(
    weather: Reader, operator: Reader
) -> None:
    assert "RateLimit" in (await weather.read()).headers
    assert "RateLimit" not in (await operator.read()).headers


async def test_who_may_not_read_them(
    weather: Reader, api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    narrow = await plugin_reader(api, pool, plugin.url, "narrow", "telemetry:write")
    key = await issue(pool, "admin", scopes=["audit:read"])
    answers: list[tuple[Answer, int, str]] = [
        (await narrow.read(), 403, "insufficient_scope"),
        (await Reader(api, {"X-Admin-Key": key.plaintext}).read(), 403, "insufficient_scope"),
        (await Reader(api, {}).read(), 401, "missing_credentials"),
        (await Reader(api, {"X-Bot-Token": api.bot_token}).read(), 401, "missing_credentials"),
        (await Reader(api, {"X-Admin-Key": api.bot_token}).read(), 401, "invalid_credentials"),
    ]
    for answer, status, code in answers:
        assert (answer.status, answer.json["code"]) == (status, code)


@pytest.mark.parametrize(
    "index",
    [
        "plugin_id_occurred_at",
        "dialog_id_occurred_at",
        "event_type_occurred_at",
        "unusual",
        "occurred_at_id",
    ],
)
async def test_each_filter_has_an_index(
    weather: Reader, pool: asyncpg.Pool, connection: asyncpg.Connection, index: str
) -> None:
    """With the plan that a prepared statement keeps, which knows no values."""
    await connection.execute(
        f"""INSERT INTO plugins (id, name, version, base_url, manifest, manifest_hash)
            SELECT md5(n::text)::uuid, 'p' || n, '1.0.0', 'http://a', '{{}}', 'x'
            FROM generate_series(1, 100) AS n;
            INSERT INTO plugin_events
                (plugin_id, source, event_type, severity, dialog_id, occurred_at)
            SELECT md5((n % 100 + 1)::text)::uuid, 'core',
                CASE WHEN n % 2 = 0 THEN 'plugin_failed' ELSE 'plugin_custom_' || n % 500 END,
                CASE WHEN n % 1000 = 0 THEN 'critical' ELSE 'info' END, gen_random_uuid(),
                now() - n * interval '1 second'
            FROM generate_series(1, 50000) AS n;
            UPDATE plugin_events SET event_type = 'plugin_timeout' WHERE plugin_id
                = '{weather.plugin_id}';
            ANALYZE plugin_events; SET plan_cache_mode = force_generic_plan"""
    )
    filters = {
        "plugin_id_occurred_at": Filters(plugin_id=weather.plugin_id),
        "dialog_id_occurred_at": Filters(dialog_id=uuid4()),
        "event_type_occurred_at": Filters(event_type="plugin_timeout"),
        "unusual": Filters(severity="critical"),
        "occurred_at_id": Filters(to=NOON),
    }[index]
    sql, values = statement(filters, None, (datetime.now(UTC), uuid4()))
    plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *values, 50)
    text = plan if isinstance(plan, str) else orjson.dumps(plan).decode()
    assert f"ix_plugin_events_{index}" in text
    assert "Seq Scan" not in text
