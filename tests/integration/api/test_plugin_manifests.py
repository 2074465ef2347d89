"""Manifests of both forms register, and say what their plugin is and may."""

import asyncio
from typing import Any

import asyncpg
import pytest

from impl.plugins.manifests.canonical import manifest_hash
from impl.settings import Settings
from tests.stack import (
    Answer,
    Api,
    ScriptedPlugin,
    manifest,
    regex_intent,
    running_api,
    settings_but,
)
from tests.stack import settings_for as stack_settings

OLD = {"name": "chitchat", "version": "0.9.0", "intents": ["smalltalk", "joke"]}


def registration(url: str, described: dict[str, Any], **more: Any) -> dict[str, Any]:
    named = {"name": described["name"], "version": described["version"], "base_url": url}
    return {**named, "manifest": described, **more}


def faults(answer: Answer) -> list[tuple[str, str]]:
    assert (answer.status, answer.json["code"]) == (422, "validation_failed"), answer.raw
    return [(error["pointer"], error["code"]) for error in answer.json["errors"]]


async def test_a_manifest_is_stored_as_it_was_sent_and_adapted(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    answer = await api.register(registration(plugin.url, OLD))
    assert answer.status == 201, answer.raw
    row = await pool.fetchrow("SELECT * FROM plugins")
    assert row["manifest"] == OLD
    assert row["manifest_hash"] == manifest_hash(OLD)
    assert [intent["tag"] for intent in row["intents"]] == ["smalltalk", "joke"]
    assert {intent["activation_condition"]["type"] for intent in row["intents"]} == {"classifier"}
    assert (row["is_fallback"], row["schema_version"]) == (False, "v1alpha")
    assert row["supported_schema_versions"] == ["v1alpha"]


async def test_the_default_of_manifest_1_0_answers_what_nobody_else_does(
    api: Api, plugin: ScriptedPlugin
) -> None:
    default: dict[str, Any] = {**OLD, "is_default": True}
    low = (await api.register(registration(plugin.url, default))).json
    assert await answered(api) == low["plugin_id"]
    newer = {**default, "version": "1.0.0"}
    high = (await api.register(registration(plugin.url, newer))).json
    assert await answered(api) == high["plugin_id"]
    named = await api.add_plugin(plugin.url)  # the settings name it
    assert await answered(api) == named["plugin_id"]


async def test_without_a_default_nobody_answers(api: Api, plugin: ScriptedPlugin) -> None:
    await api.register(registration(plugin.url, OLD))
    answer = await api.say(await api.user(), "Hello!")
    assert answer.json["error"]["code"] == "no_plugin_available"


async def answered(api: Api) -> str:
    answer = await api.say(await api.user(), "Hello!")
    assert answer.json["status"] == "accepted", answer.raw
    return str(answer.json["plugin_responses"][0]["plugin_id"])


async def test_the_same_in_other_words_is_the_same(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    """A default that is written out, or another order, needs no proof of who it is."""
    first = await api.register(registration(plugin.url, OLD))
    other = {**dict(reversed(OLD.items())), "is_default": False, "auth": None}
    again = await api.register(registration(plugin.url, other))
    assert (again.status, again.json["plugin_id"]) == (200, first.json["plugin_id"])
    assert await pool.fetchval("SELECT manifest_hash FROM plugins") == manifest_hash(other)
    changed = {**OLD, "is_default": True}
    assert (await api.register(registration(plugin.url, changed))).status == 409


async def test_a_manifest_that_an_older_core_stored_is_still_the_same(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    """It kept the manifest with its defaults and without what is null, and hashed that."""
    sent = manifest("weather", "1.0.0", regex_intent("all", "x"))
    await api.register(registration(plugin.url, sent))
    intent = {**sent["intents"][0], "examples": []}
    stored = {**sent, "intents": [intent], "auth": {"type": "bearer", "scopes": []}}
    await pool.execute("UPDATE plugins SET manifest = $1, manifest_hash = 'old'", stored)
    assert (await api.register(registration(plugin.url, sent))).status == 200


async def test_the_highest_common_version_is_used(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    described = {
        **manifest("weather", "1.0.0", regex_intent("all", ".")),
        "supported_schema_versions": ["v2", "v1alpha", "v1beta"],
    }
    assert (await api.register(registration(plugin.url, described))).status == 201
    row = await pool.fetchrow("SELECT schema_version, supported_schema_versions FROM plugins")
    assert tuple(row) == ("v1alpha", ["v2", "v1alpha", "v1beta"])
    await answered(api)
    assert plugin.headers[-1]["X-Schema-Version"] == "v1alpha"


async def test_without_a_common_version_it_is_told_which_are_served(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    described = {**manifest("weather"), "supported_schema_versions": ["v2", "v3"]}
    answer = await api.register(registration(plugin.url, described))
    assert faults(answer) == [("/manifest/supported_schema_versions", "none_served")]
    assert "v1alpha" in answer.json["errors"][0]["message"]
    assert await pool.fetchval("SELECT count(*) FROM plugins") == 0


ALL = ["plugins:read", "telemetry:read", "telemetry:write"]


def asking(named: list[str]) -> dict[str, Any]:
    return {**manifest("weather"), "auth": {"type": "bearer", "scopes": named}}


async def test_a_token_permits_what_was_asked_and_no_more(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    granted = "SELECT scopes FROM tokens WHERE kind = 'plugin' ORDER BY created_at DESC LIMIT 1"
    for scopes in ([], ["telemetry:write"], ALL):
        body = registration(plugin.url, asking(ALL), scopes=scopes)
        assert (await api.register(body)).status in (200, 201)
        assert sorted(await pool.fetchval(granted)) == sorted(scopes)
    body = registration(plugin.url, asking(ALL))
    assert (await api.register(body)).status == 200
    assert await pool.fetchval(granted) == [], "what is not asked for is not granted"


async def test_no_scope_beyond_the_manifest_or_the_policy(
    plugin: ScriptedPlugin, pool: asyncpg.Pool, database: str, valkey: str
) -> None:
    settings = stack_settings(database, valkey, plugin_scopes="telemetry:write plugins:read")
    async with running_api(pool, settings) as api:
        body = registration(plugin.url, asking(["telemetry:write", "telemetry:read"]), scopes=ALL)
        assert faults(await api.register(body)) == [
            ("/scopes/0", "scope_not_in_manifest"),
            ("/scopes/1", "scope_not_allowed"),
        ]
        assert await pool.fetchval("SELECT count(*) FROM plugins") == 0
        body["scopes"] = ["telemetry:write"]
        assert (await api.register(body)).status == 201


async def test_registering_anew_is_a_sign_of_life_in_an_outage(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    """It ends none by itself: the watcher does, by a probe that is due at once."""
    body = registration(plugin.url, manifest("weather"))
    await api.register(body)
    await pool.execute(
        "UPDATE plugins SET status = 'degraded', outage_since = now(), outage_reason = 'health',"
        " probe_failures = 7, next_probe_at = now() + interval '5 minutes',"
        " served_manifest_hash = 'x', registered_at = now() - interval '1 day'"
    )
    assert (await api.register(body)).status == 200
    row = await pool.fetchrow("SELECT *, next_probe_at <= now() AS due FROM plugins")
    assert (row["status"], row["probe_failures"], row["due"]) == ("degraded", 0, True)
    assert row["registered_at"] > row["outage_since"]
    assert row["served_manifest_hash"] is None


CHANGES = """
SELECT source, details->>'from' AS old, details->>'to' AS new, details->>'reason' AS reason
FROM audit_logs WHERE action = 'plugin_status_changed' ORDER BY id
"""


async def test_each_change_of_the_status_is_audited_with_its_reason(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    plugin.healthy = False
    body = registration(plugin.url, manifest("weather"))
    done = (await api.register(body)).json
    plugin.healthy = True
    await api.register(body)
    path = f"/api/v1/plugins/{done['plugin_id']}/heartbeat"
    headers = {"Authorization": f"Bearer {done['token']}"}
    for status in ("active", "degraded", "degraded", "disabled", "active"):
        beat = {"plugin_id": done["plugin_id"], "status": status}
        assert (await api.send("POST", path, json=beat, headers=headers)).json["status"] == status
    assert [tuple(row) for row in await pool.fetch(CHANGES)] == [
        ("core", "registering", "active", "registered"),
        ("plugin", "active", "degraded", "heartbeat"),
        ("plugin", "degraded", "disabled", "heartbeat"),
        ("plugin", "disabled", "active", "heartbeat"),
    ]


async def test_of_heartbeats_at_once_each_change_is_audited_once(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    done = (await api.register(registration(plugin.url, manifest("weather")))).json
    path = f"/api/v1/plugins/{done['plugin_id']}/heartbeat"
    headers = {"Authorization": f"Bearer {done['token']}"}
    beat = {"plugin_id": done["plugin_id"], "status": "degraded"}
    answers = await asyncio.gather(
        *(api.send("POST", path, json=beat, headers=headers) for _ in range(10))
    )
    assert {answer.status for answer in answers} == {200}
    assert len(await pool.fetch(CHANGES)) == 1


@pytest.mark.parametrize("scopes", ["everything", "telemetry:write,plugins:read"])
def test_a_policy_of_unknown_scopes_is_refused(scopes: str, settings: Settings) -> None:
    with pytest.raises(ValueError, match="plugin_scopes"):
        settings_but(settings, plugin_scopes=scopes)
