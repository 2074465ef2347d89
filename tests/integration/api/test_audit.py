"""The audit trail as an operator reads it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from impl.audit.queries import Filters, statement
from tests.integration.api.conftest import Admin
from tests.stack import Answer, Api, ScriptedPlugin

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def write(pool: asyncpg.Pool, **changed: Any) -> int:
    row = {
        "source": "core",
        "action": "tested",
        "severity": "info",
        "trace_id": uuid4(),
        "created_at": NOON,
        **changed,
    }
    written: int = await pool.fetchval(
        """INSERT INTO audit_logs (source, action, severity, trace_id, created_at)
           VALUES ($1, $2, $3, $4, $5) RETURNING id""",
        *row.values(),
    )
    return written


async def ids(admin: Admin, **filters: Any) -> list[int]:
    answer = await admin("GET", "/audit", params=filters)
    assert answer.status == 200, answer.raw
    return [item["id"] for item in answer.json["items"]]


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["code"]


def fault(answer: Answer) -> str:
    assert code(answer) == (422, "validation_failed")
    found: str = answer.json["errors"][0]["code"]
    return found


async def test_what_was_done_is_in_the_trail(
    api: Api, admin: Admin, plugin: ScriptedPlugin
) -> None:
    registered = await api.add_plugin(plugin.url)
    trace_id = str(uuid4())
    await admin(
        "POST",
        f"/plugins/{registered['plugin_id']}/disable",
        json={"reason": "Why not?"},
        headers={"X-Trace-Id": trace_id},
    )
    page = (await admin("GET", "/audit", params={"trace_id": trace_id})).json
    found = {(item["source"], item["action"]): item for item in page["items"]}
    assert page["next_cursor"] is None
    assert len(page["items"]) == len(found) == 3
    by_operator = found["user", "plugin_disabled"]
    assert by_operator["event_id"] is None
    assert by_operator["details"]["reason"] == "Why not?"
    assert found["core", "plugin_disabled"]["event_id"] is not None
    assert found["core", "plugin_status_changed"]["details"]["to"] == "disabled"


async def test_each_filter_leaves_out_what_does_not_fit(admin: Admin, pool: asyncpg.Pool) -> None:
    trace_id = uuid4()
    await write(pool)
    fits = await write(
        pool,
        source="plugin",
        action="plugin_custom_paid",
        severity="critical",
        trace_id=trace_id,
        created_at=NOON + timedelta(hours=1),
    )
    await write(pool, created_at=NOON + timedelta(hours=2))
    for filters in (
        {"source": "plugin"},
        {"action": "plugin_custom_paid"},
        {"severity": "critical"},
        {"trace_id": str(trace_id)},
        {"from": "2026-01-01T13:00:00Z", "to": "2026-01-01T14:00:00Z"},
        {"source": "plugin", "severity": "critical", "action": "plugin_custom_paid"},
    ):
        assert await ids(admin, **filters) == [fits], filters
    assert await ids(admin, source="plugin", severity="info") == []


async def test_from_is_included_and_to_is_not(admin: Admin, pool: asyncpg.Pool) -> None:
    written = [await write(pool, created_at=NOON + timedelta(hours=hour)) for hour in range(3)]
    assert await ids(admin, **{"from": "2026-01-01T13:00:00Z"}) == written[:0:-1]
    assert await ids(admin, to="2026-01-01T13:00:00Z") == written[:1]
    assert await ids(admin, to="2026-01-01T14:00:00+01:00") == written[:1]


async def test_the_newest_come_first_and_what_happens_meanwhile_moves_nothing(
    admin: Admin, pool: asyncpg.Pool
) -> None:
    # One transaction's rows share their moment; and one that began long ago commits late.
    written = [await write(pool, created_at=NOON) for _ in range(5)]
    newest = await write(pool, created_at=NOON + timedelta(seconds=1))
    filters = {"action": "tested", "limit": 2}
    seen, cursor = [], None
    while True:
        page = (await admin("GET", "/audit", params=filters | (cursor or {}))).json
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
        await write(pool, created_at=NOON + timedelta(hours=1))
    assert seen == [newest, *written[::-1]]


@pytest.mark.parametrize(
    "window",
    [
        {"from": "2026-01-01T13:00:00Z", "to": "2026-01-01T12:00:00Z"},
        {"from": "2026-01-01T13:00:00Z", "to": "2026-01-01T13:00:00Z"},
        {"from": "2026-01-01T13:00:00Z", "to": "2026-01-01T14:00:00+02:00"},
    ],
)
async def test_filters_that_contradict_are_refused(admin: Admin, window: dict[str, str]) -> None:
    refused = await admin("GET", "/audit", params=window)
    assert fault(refused) == "contradictory"
    assert refused.json["errors"][0]["pointer"] == "/to"


async def test_a_cursor_is_of_its_filters(admin: Admin, pool: asyncpg.Pool) -> None:
    for _ in range(3):
        await write(pool)
    page = await admin("GET", "/audit", params={"limit": 1, "action": "tested"})
    good = page.json["next_cursor"]
    forged = good[:-1] + ("A" if good[-1] != "A" else "B")
    for wrong in (
        {"cursor": good},
        {"cursor": good, "action": "tried"},
        {"cursor": good, "action": "tested", "severity": "info"},
        {"cursor": forged, "action": "tested"},
        {"cursor": "AAAA", "action": "tested"},
    ):
        assert fault(await admin("GET", "/audit", params=wrong)) == "cursor_invalid"
    other_size = {"cursor": good, "action": "tested", "limit": 100}
    assert len(await ids(admin, **other_size)) == 2


@pytest.mark.parametrize(
    "filters",
    [
        {"source": "nobody"},
        {"severity": "fatal"},
        {"action": "Not One"},
        {"trace_id": "7"},
        {"from": "yesterday"},
        {"to": "2026-01-01"},
        {"bot_id": str(UUID(int=1))},
        {"limit": 0},
        {"limit": 101},
    ],
)
async def test_a_filter_that_makes_no_sense_is_refused(
    admin: Admin, filters: dict[str, Any]
) -> None:
    assert code(await admin("GET", "/audit", params=filters)) == (422, "validation_failed")


@pytest.mark.parametrize(
    "index",
    ["trace_id", "action_created_at", "unusual", "by_others", "created_at"],
)
async def test_rare_rows_are_found_by_an_index(connection: asyncpg.Connection, index: str) -> None:
    """With the plan that a prepared statement keeps, which knows no values."""
    await connection.execute(
        """INSERT INTO audit_logs (source, action, severity, trace_id, created_at)
           SELECT 'core', 'usual', 'info', gen_random_uuid(), now() - n * interval '1 second'
           FROM generate_series(1, 50000) AS n;
           INSERT INTO audit_logs (source, action, severity, trace_id, created_at)
           SELECT 'user', 'rare' || n, 'critical', gen_random_uuid(), now() - interval '5 hours'
           FROM generate_series(1, 50) AS n;
           ANALYZE audit_logs; SET plan_cache_mode = force_generic_plan"""
    )
    filters = {
        "trace_id": Filters(trace_id=UUID(int=1)),
        "action_created_at": Filters(action="rare1"),
        "unusual": Filters(severity="critical"),
        "by_others": Filters(source="user"),
        "created_at": Filters(to=NOON),
    }[index]
    sql, values = statement(filters, after=(datetime.now(UTC), 2**40))
    plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *values, 50)
    text = orjson.dumps(orjson.loads(plan) if isinstance(plan, str) else plan).decode()
    assert f"ix_audit_logs_{index}" in text
    assert "Seq Scan" not in text
