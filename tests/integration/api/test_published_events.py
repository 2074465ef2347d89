"""Each operation publishes what its `x-emits` names, and nothing else.

What any test of the API publishes is held against the AsyncAPI document by `running_api`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiohttp import web

from generated.core import users
from impl.settings import Settings
from impl.tokens.issue import issue
from tests.integration.api.conftest import Admin
from tests.integration.api.queued import LATER, say
from tests.published import MESSAGES, faults, kinds
from tests.stack import Answer, Api, ScriptedPlugin, running_api, settings_for
from tools.bundler import bundle
from tools.contract import operations

EMITS: dict[str, list[str]] = {
    operation.id: operation.spec["x-emits"]
    for operation in operations(bundle("openapi.yaml"))
    if "x-emits" in operation.spec
}


# Of an event, what makes it come soon: a call that hangs is not worth making again when its
# deadline runs out.
HURRIED = {"plugin_timeout": {"call_deadline_seconds": 0.5, "queue_seconds": 0.4}}


@pytest.fixture
def changes() -> dict[str, float]:
    return {}


@pytest.fixture
def settings(database: str, valkey: str, changes: dict[str, float]) -> Settings:
    return settings_for(database, valkey, **changes)


@dataclass(frozen=True)
class Stage:
    api: Api
    admin: Admin
    plugin: ScriptedPlugin
    pool: asyncpg.Pool


@pytest.fixture
def stage(api: Api, admin: Admin, plugin: ScriptedPlugin, pool: asyncpg.Pool) -> Stage:
    return Stage(api, admin, plugin, pool)


async def creates_user(stage: Stage) -> Answer:
    body = {"telegram_id": 814, "display_name": "Ada", "locale": "en"}
    return await stage.api.bot("POST", "/api/v1/users", json=body)


async def erases(stage: Stage) -> Answer:
    return await stage.api.bot("DELETE", f"/api/v1/users/{await stage.api.user()}")


async def registers(stage: Stage) -> Answer:
    described = {
        "name": "text_reply",
        "version": "1.0.0",
        "intents": [],
        "auth": {"type": "bearer"},
        "supported_schema_versions": ["v1alpha"],
    }
    named = {"name": "text_reply", "version": "1.0.0", "base_url": stage.plugin.url}
    return await stage.api.register({**named, "manifest": described})


async def beats(stage: Stage) -> Answer:
    done = await stage.api.add_plugin(stage.plugin.url)
    return await stage.api.send(
        "POST",
        f"/api/v1/plugins/{done['plugin_id']}/heartbeat",
        json={"plugin_id": done["plugin_id"], "status": "active", "latency_ms": 12.5},
        headers={"Authorization": f"Bearer {done['token']}"},
    )


async def is_disabled(stage: Stage) -> Answer:
    done = await stage.api.add_plugin(stage.plugin.url)
    path = f"/plugins/{done['plugin_id']}/disable"
    return await stage.admin("POST", path, json={"reason": "It hangs."})


async def is_deleted(stage: Stage) -> Answer:
    done = await stage.api.add_plugin(stage.plugin.url)
    return await stage.admin("DELETE", f"/plugins/{done['plugin_id']}")


async def is_answered(stage: Stage) -> Answer:
    await stage.api.add_plugin(stage.plugin.url)
    return await stage.api.say(await stage.api.user(), "Hello!")


async def is_reset(stage: Stage) -> Answer:
    """While a call of the dialog waits."""
    api, dialog = stage.api, uuid4()
    await api.add_plugin(stage.plugin.url)
    user = await api.user()
    await api.say(user, "Hello!", dialog)
    await stage.pool.execute("UPDATE plugin_calls SET status = 'queued', finished_at = NULL")
    return await api.bot("POST", f"/api/v1/dialogs/{dialog}/reset", json={"user_id": user})


async def is_refused(stage: Stage) -> Answer:
    async def refuse(_body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
        return web.Response(status=400)

    stage.plugin.reply = refuse
    return await is_answered(stage)


async def is_kept_waiting(stage: Stage) -> Answer:
    async def hang(_body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    stage.plugin.reply = hang
    return await is_answered(stage)


async def is_put_off(stage: Stage) -> Answer:
    await stage.api.add_plugin(stage.plugin.url)
    return await say(stage.api, await stage.api.user(), "Hello!", headers=LATER)


async def reports(stage: Stage, severity: str = "info") -> Answer:
    done = await stage.api.add_plugin(stage.plugin.url)
    token = await issue(
        stage.pool, "plugin", subject_id=UUID(done["plugin_id"]), scopes=["telemetry:write"]
    )
    return await stage.api.send(
        "POST",
        f"/api/v1/plugins/{done['plugin_id']}/events",
        json={
            "event_id": str(uuid4()),
            "plugin_id": done["plugin_id"],
            "event_type": "plugin_failed",
            "severity": severity,
            "occurred_at": "2024-02-29T10:15:30Z",
        },
        headers={"Authorization": f"Bearer {token.plaintext}"},
    )


async def reports_the_worst(stage: Stage) -> Answer:
    return await reports(stage, "critical")


Scenario = Callable[[Stage], Awaitable[Answer]]
# Of each operation and event, what makes the one publish the other. It returns the last answer.
SCENARIOS: dict[tuple[str, str], Scenario] = {
    ("upsertUser", "user_created"): creates_user,
    ("eraseUser", "user_erased"): erases,
    ("registerPlugin", "plugin_registered"): registers,
    ("sendPluginHeartbeat", "plugin_heartbeat"): beats,
    ("disablePlugin", "plugin_disabled"): is_disabled,
    ("deletePlugin", "plugin_disabled"): is_deleted,
    ("addDialogMessage", "plugin_invocation_queued"): is_put_off,
    ("addDialogMessage", "plugin_invocation_started"): is_answered,
    ("addDialogMessage", "plugin_invocation_completed"): is_answered,
    ("addDialogMessage", "plugin_failed"): is_refused,
    ("addDialogMessage", "plugin_timeout"): is_kept_waiting,
    ("resetDialog", "dialog_reset"): is_reset,
    ("resetDialog", "plugin_failed"): is_reset,
    ("reportPluginEvent", "plugin_reported"): reports,
    ("reportPluginEvent", "plugin_disabled"): reports_the_worst,
}


# Outside of any operation: the tests of plugins, models, triggers, notifications and the degraded
# mode show them.
BY_NO_OPERATION = {
    "core_degraded",
    "core_recovered",
    "llm_unavailable",
    "plugin_heartbeat_missed",
    "plugin_recovered",
    "scaling_alert",
    "scaling_alert_ended",
    "subscription_disabled",
}


@pytest.mark.parametrize(
    ("operation", "event", "changes"),
    [
        pytest.param(name, event, HURRIED.get(event, {}), id=f"{name}-{event}")
        for name, events in EMITS.items()
        for event in events
    ],
)
async def test_an_operation_publishes_what_it_declares(
    operation: str, event: str, stage: Stage
) -> None:
    answer = await SCENARIOS[operation, event](stage)
    assert answer.status in (200, 201, 202), answer.raw
    found = await published_by(answer, stage.pool)
    assert event in found
    assert found <= set(EMITS[operation])


async def published_by(answer: Answer, pool: asyncpg.Pool) -> set[str]:
    """The names of the messages that the request published.

    Some tell of another request and carry its trace id; they are of the same transaction.
    """
    rows = await pool.fetch(
        "SELECT body FROM outbox WHERE xmin::text IN"
        " (SELECT xmin::text FROM outbox WHERE body ->> 'trace_id' = $1)",
        answer.headers["X-Trace-Id"],
    )
    return {message.name for row in rows for message in kinds(row["body"])}


def test_every_message_has_a_scenario() -> None:
    by_operations = {event for _, event in SCENARIOS}
    assert by_operations | BY_NO_OPERATION == {message.name for message in MESSAGES}


async def test_an_event_that_the_operation_does_not_declare_is_never_stored(
    pool: asyncpg.Pool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "UPSERT_USER", replace(users.UPSERT_USER, emits=frozenset()))
    async with running_api(pool, settings) as api:
        body = {"telegram_id": 814, "display_name": "Ada"}
        answer = await api.bot("POST", "/api/v1/users", json=body)
    assert (answer.status, answer.json["code"]) == (500, "internal_error")
    for table in ("users", "outbox", "audit_logs"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0


class TestWhatIsNoEventOfTheContract:
    """The check that follows every test of the API tells what the contract does not say."""

    @pytest.fixture
    async def event(self, api: Api, pool: asyncpg.Pool) -> tuple[str, dict[str, Any]]:
        await api.user()
        row = await pool.fetchrow("SELECT stream, body FROM outbox")
        assert not list(faults(row["stream"], row["body"]))
        return row["stream"], row["body"]

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"payload": {}}, "user_created: payload: $: 'user_id' is a required property"),
            ({"payload": {"user_id": "814"}}, "user_created: payload: $.user_id: '814'"),
            ({"severity": "warning"}, "user_created of core is 0 messages"),
            ({"event_type": "user_gone"}, "user_gone of core is 0 messages"),
            ({"source": "user"}, "user_created of user is 0 messages"),
            ({"source": "plugin"}, "plugin_reported in dialog:events"),
            ({"source": "plugin"}, "plugin_reported: headers: $.event_type: 'user_created'"),
            ({"trace_id": None}, "user_created: headers: $.trace_id: None is not of type"),
            ({"more": 1}, "user_created: headers: $: Additional properties are not allowed"),
        ],
    )
    def test_in_its_members(
        self, event: tuple[str, dict[str, Any]], change: dict[str, Any], said: str
    ) -> None:
        stream, body = event
        assert any(text.startswith(said) for text in faults(stream, body | change))

    def test_in_its_stream(self, event: tuple[str, dict[str, Any]]) -> None:
        assert list(faults("plugin:events", event[1])) == ["user_created in plugin:events"]
