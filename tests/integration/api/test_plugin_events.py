"""What plugins report: stored once, marked as theirs, and told without its payload."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from generated.metrics import make_metrics
from impl.events.relay import Relay
from impl.redis import relay_client
from impl.settings import Settings
from impl.tokens.issue import issue
from tests.stack import Answer, Api, ScriptedPlugin

THEN = "2024-02-29T10:15:30.123456Z"


@dataclass
class Reporter:
    """A registered plugin that may report events."""

    api: Api
    plugin_id: str
    token: str

    def event(self, **changed: Any) -> dict[str, Any]:
        return {
            "event_id": str(uuid4()),
            "plugin_id": self.plugin_id,
            "event_type": "plugin_custom_cache_emptied",
            "severity": "warning",
            "payload": {"entries": 814},
            "occurred_at": THEN,
        } | changed

    async def send(self, event: object, to: object = None) -> Answer:
        return await self.send_raw(to, json=event)

    async def send_raw(self, to: object = None, **options: Any) -> Answer:
        path = f"/api/v1/plugins/{to or self.plugin_id}/events"
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return await self.api.send("POST", path, headers=headers, **options)


async def reporter_of(
    api: Api, pool: asyncpg.Pool, url: str, name: str = "text_reply", scope: str = "telemetry:write"
) -> Reporter:
    done = await api.add_plugin(url, name)
    token = await issue(pool, "plugin", subject_id=UUID(done["plugin_id"]), scopes=[scope])
    return Reporter(api, done["plugin_id"], token.plaintext)


@pytest_asyncio.fixture
async def reporter(api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool) -> Reporter:
    return await reporter_of(api, pool, plugin.url)


async def stored(pool: asyncpg.Pool) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await pool.fetch(
        "SELECT * FROM plugin_events WHERE source = 'plugin'"
    )
    return rows


async def test_an_event_is_stored_as_the_plugin_told_it(
    reporter: Reporter, pool: asyncpg.Pool
) -> None:
    dialog = uuid4()
    event = reporter.event(dialog_id=str(dialog))
    answer = await reporter.send(event)
    assert (answer.status, answer.json) == (
        200, {"status": "accepted", "event_id": event["event_id"]},
    )  # fmt: skip
    assert "Idempotency-Replayed" not in answer.headers
    (row,) = await stored(pool)
    assert (str(row["id"]), str(row["plugin_id"])) == (event["event_id"], reporter.plugin_id)
    assert (row["event_type"], row["severity"]) == (event["event_type"], "warning")
    assert (row["payload"], row["dialog_id"]) == ({"entries": 814}, dialog)
    assert row["occurred_at"] == datetime.fromisoformat(THEN)


async def test_streams_and_audit_are_told_all_but_the_payload(
    reporter: Reporter, pool: asyncpg.Pool, settings: Settings
) -> None:
    event = reporter.event(
        event_type="plugin_failed", payload={"note": "a secret"}, dialog_id=str(uuid4())
    )
    answer = await reporter.send(event)
    expected = {
        "plugin_id": reporter.plugin_id,
        "dialog_id": event["dialog_id"],
        "size": len('{"note": "a secret"}'),
    }
    audited = await pool.fetchrow("SELECT * FROM audit_logs WHERE source = 'plugin'")
    assert (audited["action"], audited["severity"]) == (event["event_type"], "warning")
    assert (audited["details"], str(audited["event_id"])) == (expected, event["event_id"])
    assert str(audited["trace_id"]) == answer.headers["X-Trace-Id"]
    row = await pool.fetchrow("SELECT * FROM outbox WHERE body->>'source' = 'plugin'")
    body = row["body"]
    assert (row["stream"], body["payload"]) == ("plugin:events", expected)
    assert (body["event_type"], body["severity"]) == (event["event_type"], "warning")
    assert datetime.fromisoformat(body["occurred_at"]) == datetime.fromisoformat(THEN)
    redis = relay_client(settings)
    await redis.flushall()
    await Relay(pool, redis, 100, 0.01, make_metrics()).drain_once()
    # It names a dialog, and yet is no message of it.
    assert await redis.exists(f"dialog:state:{event['dialog_id']}") == 0
    assert "secret" not in str(await redis.xrange("plugin:events"))
    await redis.aclose()


async def test_an_event_changes_no_call(
    reporter: Reporter, api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    dialog = uuid4()
    await api.say(await api.user(), "Hello!", dialog)
    before = [dict(row) for row in await pool.fetch("SELECT * FROM plugin_calls")]
    status = await pool.fetchval("SELECT status FROM plugins")
    for name in ("plugin_failed", "plugin_timeout", "plugin_invocation_started"):
        call = {"invocation_id": str(before[0]["invocation_id"])}
        event = reporter.event(event_type=name, dialog_id=str(dialog), payload=call)
        assert (await reporter.send(event)).status == 200
    assert [dict(row) for row in await pool.fetch("SELECT * FROM plugin_calls")] == before
    assert await pool.fetchval("SELECT status FROM plugins") == status


@pytest.mark.parametrize(
    "again",
    [
        {},
        {"payload": {"b": 2, "a": 1.0}},
        {"occurred_at": "2024-02-29T12:15:30.123456+02:00"},
        {"event_id": str.upper},
        {"dialog_id": None},
    ],
)
async def test_the_same_event_again_is_a_duplicate(
    reporter: Reporter, pool: asyncpg.Pool, again: dict[str, Any]
) -> None:
    event = reporter.event(payload={"a": 1.0, "b": 2})
    first = await reporter.send(event)
    if "event_id" in again:
        again = {"event_id": event["event_id"].upper()}
    second = await reporter.send(event | again)
    assert first.json["status"] == "accepted"
    assert (second.status, second.json) == (
        200, {"status": "duplicate", "event_id": event["event_id"]},
    )  # fmt: skip
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(await stored(pool)) == 1
    assert await pool.fetchval("SELECT count(*) FROM outbox WHERE body->>'source' = 'plugin'") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"payload": {"entries": 815}},
        {"payload": {}},
        {"severity": "critical"},
        {"event_type": "plugin_failed"},
        {"dialog_id": str(uuid4())},
        {"occurred_at": "2024-02-29T10:15:30.123457Z"},
    ],
)
async def test_an_id_serves_one_event_only(
    reporter: Reporter, pool: asyncpg.Pool, change: dict[str, Any]
) -> None:
    event = reporter.event()
    await reporter.send(event)
    answer = await reporter.send(event | change)
    assert (answer.status, answer.json["code"]) == (422, "event_id_reused")
    (row,) = await stored(pool)
    assert row["payload"] == event["payload"]


async def test_another_plugins_id_is_taken(
    reporter: Reporter, api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    other = await reporter_of(api, pool, plugin.url, "other")
    event = reporter.event()
    await reporter.send(event)
    answer = await other.send(event | {"plugin_id": other.plugin_id})
    assert (answer.status, answer.json["code"]) == (422, "event_id_reused")


async def test_an_id_of_the_cores_own_events_is_taken(
    reporter: Reporter, api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, dialog = await api.user(), uuid4()
    await api.say(user, "Hello!", dialog)
    await api.bot("POST", f"/api/v1/dialogs/{dialog}/reset", json={"user_id": user})
    rows = await pool.fetch("SELECT event_id FROM outbox")
    assert len(rows) == 5
    for row in rows:
        answer = await reporter.send(reporter.event(event_id=str(row["event_id"])))
        assert (answer.status, answer.json["code"]) == (422, "event_id_reused")
    assert await stored(pool) == []


async def test_of_many_at_once_one_is_accepted(reporter: Reporter, pool: asyncpg.Pool) -> None:
    event = reporter.event()
    other = event | {"severity": "critical"}
    answers = await asyncio.gather(
        *(reporter.send(one) for _ in range(20) for one in (event, other))
    )
    accepted = [answer for answer in answers if answer.json.get("status") == "accepted"]
    duplicates = [answer for answer in answers if answer.json.get("status") == "duplicate"]
    reused = [answer for answer in answers if answer.json.get("code") == "event_id_reused"]
    assert (len(accepted), len(duplicates), len(reused)) == (1, 19, 20)
    assert len(await stored(pool)) == 1


async def test_what_is_left_out_has_its_default(reporter: Reporter, pool: asyncpg.Pool) -> None:
    event = reporter.event()
    del event["severity"], event["payload"]
    await reporter.send(event)
    (row,) = await stored(pool)
    assert (row["severity"], row["payload"], row["dialog_id"]) == ("info", {}, None)


@pytest.mark.parametrize(
    "event_type",
    [
        "plugin_registered",
        "plugin_heartbeat",
        "plugin_heartbeat_missed",
        "plugin_recovered",
        "plugin_disabled",
        "llm_unavailable",
        "plugin_reported",
        "plugin_custom_",
        "plugin_custom_A",
        "plugin_custom_a b",
        "plugin_custom_" + "a" * 51,
        "custom",
        "dialog_reset",
        "",
        None,
    ],
)
async def test_what_the_core_alone_says_is_refused(
    reporter: Reporter, pool: asyncpg.Pool, event_type: str
) -> None:
    answer = await reporter.send(reporter.event(event_type=event_type))
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    assert answer.json["errors"][0]["pointer"] == "/event_type"
    assert await stored(pool) == []


deep: dict[str, Any] = {}
for _ in range(40):
    deep = {"a": deep}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"event_id": None}, "/event_id"),
    ({"event_id": "x"}, "/event_id"),
    ({"event_id": 7}, "/event_id"),
    ({"plugin_id": str(uuid4())}, "/plugin_id"),
    ({"dialog_id": "x"}, "/dialog_id"),
    ({"severity": "fatal"}, "/severity"),
    ({"severity": None}, "/severity"),
    ({"payload": None}, "/payload"),
    ({"payload": []}, "/payload"),
    ({"payload": "text"}, "/payload"),
    ({"payload": {str(n): n for n in range(101)}}, "/payload"),
    ({"payload": {"a": "x" * 65_536}}, ""),
    ({"payload": {"a": "\x00"}}, "/payload/a"),
    ({"payload": {"a": 2**63}}, "/payload/a"),
    ({"occurred_at": None}, "/occurred_at"),
    ({"occurred_at": 1700000000}, "/occurred_at"),
    ({"occurred_at": "1700000000"}, "/occurred_at"),
    ({"occurred_at": "2026-11-22"}, "/occurred_at"),
    ({"occurred_at": "2026-11-22T10:15:30"}, "/occurred_at"),
    ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "/occurred_at"),
    ({"occurred_at": "9999-12-31T23:59:59Z"}, "/occurred_at"),
    ({"source": "core"}, "/source"),
]


@pytest.mark.parametrize(("change", "pointer"), WRONG)
async def test_a_wrong_value_is_pointed_at(
    reporter: Reporter, pool: asyncpg.Pool, change: dict[str, Any], pointer: str
) -> None:
    answer = await reporter.send(reporter.event(**change))
    assert (answer.status, answer.json["code"]) == (422, "validation_failed"), answer.raw
    assert answer.json["errors"][0]["pointer"] == pointer
    assert await stored(pool) == []


async def test_a_payload_too_deep_is_pointed_at(reporter: Reporter) -> None:
    answer = await reporter.send(reporter.event(payload=deep))
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    assert answer.json["errors"][0]["pointer"].startswith("/payload/a/a")


@pytest.mark.parametrize(("minutes", "status"), [(4, 200), (6, 422), (-100_000, 200)])
async def test_an_event_may_be_late_but_hardly_early(
    reporter: Reporter, pool: asyncpg.Pool, minutes: int, status: int
) -> None:
    now: datetime = await pool.fetchval("SELECT now()")
    moment = (now + timedelta(minutes=minutes)).astimezone(UTC)
    answer = await reporter.send(reporter.event(occurred_at=moment.isoformat()))
    assert answer.status == status, answer.raw
    if status == 422:
        fault = answer.json["errors"][0]
        assert (fault["pointer"], fault["code"]) == ("/occurred_at", "in_the_future")


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b'{"payload": Infinity}', 400, "invalid_json"),
        (b'{"payload": {"a": "\xff"}}', 400, "invalid_utf8"),
        (b'{"payload": {"a": 1, "a": 2}}', 400, "duplicate_key"),
        (b'"' + b"x" * 300_000 + b'"', 413, "body_too_large"),
    ],
)
async def test_a_body_that_cannot_be_read_says_why(
    reporter: Reporter, raw: bytes, status: int, code: str
) -> None:
    answer = await reporter.send_raw(data=raw, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.json["code"]) == (status, code)


async def test_who_may_not_report(
    reporter: Reporter, api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    other = await reporter_of(api, pool, plugin.url, "other")
    narrow = await reporter_of(api, pool, plugin.url, "narrow", "telemetry:read")
    stranger = Reporter(api, reporter.plugin_id, api.bot_token)
    event = reporter.event()
    answers: list[tuple[Answer, int, str]] = [
        (await other.send(event, to=reporter.plugin_id), 404, "plugin_not_found"),
        (await reporter.send(event, to=uuid4()), 404, "plugin_not_found"),
        (await narrow.send(narrow.event()), 403, "insufficient_scope"),
        (await stranger.send(event), 401, "invalid_credentials"),
    ]
    for answer, status, code in answers:
        assert (answer.status, answer.json["code"]) == (status, code)
    assert await stored(pool) == []
