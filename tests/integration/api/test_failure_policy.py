"""Who answers for a plugin that failed, where the policy is `fallback`."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from aiohttp import web

from impl.dialogs import replacement
from impl.settings import Settings
from tests.integration.api.queued import (
    COMPLETED,
    LATER,
    QUEUED,
    STARTED,
    called,
    calls,
    hang,
    lose_the_instance,
    read,
    recover,
    say,
    told,
)
from tests.integration.api.test_plugin_failures import Body, status
from tests.stack import Api, Gate, ScriptedPlugin, regex_intent, scripted_plugin, settings_for

FAILED = ("plugin_failed", "failed", "plugin_rejected")


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(
        database, valkey, plugin_failure_policy="fallback", queue_backoff_seconds=0.01
    )


@pytest_asyncio.fixture
async def chosen(
    api: Api, text_reply: ScriptedPlugin, settings: Settings
) -> AsyncIterator[ScriptedPlugin]:
    """A plugin that is chosen for what begins with a slash, and refuses every call."""
    async with scripted_plugin() as plugin:
        plugin.reply = status(500)
        await api.add_plugin(plugin.url, "chosen", regex_intent("slash", "^/"))
        yield plugin


async def ids(pool: asyncpg.Pool) -> tuple[str, str]:
    """Of the chosen plugin and of the fallback."""
    rows = await pool.fetch("SELECT id::text FROM plugins ORDER BY name")
    return rows[0]["id"], rows[1]["id"]


async def test_the_fallback_answers_within_the_request(
    api: Api, text_reply: ScriptedPlugin, chosen: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, dialog = await api.user(), uuid4()
    await say(api, user, "before", dialog)
    answer = await say(api, user, "/go", dialog, "m-1")
    assert (answer.status, answer.json["status"]) == (200, "accepted")
    assert answer.json["plugin_responses"][0]["content"] == "echo: /go"

    first, second = chosen.calls[0], text_reply.calls[1]
    assert first["invocation_id"] != second["invocation_id"]
    assert text_reply.headers[1]["X-Invocation-Id"] == second["invocation_id"]
    assert (first["intent"], second["intent"]) == ("slash", None)
    assert second["context"] == first["context"]
    assert second["deadline_ms"] <= first["deadline_ms"]
    chosen_id, fallback_id = await ids(pool)
    rows = await pool.fetch(
        "SELECT invocation_id::text, replaces::text, seq, status, routing->>'stage' AS stage,"
        " request_payload->>'invocation_id' AS kept FROM plugin_calls WHERE message_id = 'm-1'"
        " ORDER BY replaces NULLS FIRST"
    )
    assert [(row["status"], row["stage"]) for row in rows] == [
        ("failed", "regex"),
        ("succeeded", "failure"),
    ]
    assert rows[1]["replaces"] == rows[0]["invocation_id"] == first["invocation_id"]
    assert rows[1]["kept"] == rows[1]["invocation_id"] == second["invocation_id"]
    assert rows[1]["seq"] == rows[0]["seq"]
    # Of one plugin in order; the two of one statement are of two streams.
    assert await told(pool, chosen_id) == [STARTED, FAILED]
    assert await told(pool, fallback_id) == [STARTED, COMPLETED] * 2
    again = await say(api, user, "/go", dialog, "m-1")
    assert again.raw == answer.raw == (await read(api, dialog, "m-1")).raw


async def test_when_the_fallback_fails_too_its_error_is_the_answer(
    api: Api, text_reply: ScriptedPlugin, chosen: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    text_reply.reply = status(503)
    answer = await say(api, await api.user(), "/go")
    assert (answer.status, answer.json["error"]["code"]) == (200, "plugin_unavailable")
    assert len(chosen.calls) == 1
    assert len({call["invocation_id"] for call in text_reply.calls}) == 1
    assert await calls(pool) == [
        ("failed", 1, "plugin_rejected"),
        ("failed", 1, "plugin_unavailable"),
    ]


async def test_nobody_answers_for_the_fallback(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    text_reply.reply = status(500)
    answer = await say(api, await api.user(), "Hello!")
    assert answer.json["error"]["code"] == "plugin_rejected"
    assert await calls(pool) == [("failed", 1, "plugin_rejected")]


async def test_a_death_between_the_two_is_recovered(
    api: Api,
    text_reply: ScriptedPlugin,
    chosen: ScriptedPlugin,
    pool: asyncpg.Pool,
    settings: Settings,
) -> None:
    user, dialog, gate = await api.user(), uuid4(), Gate()
    good, text_reply.reply = text_reply.reply, gate.reply
    lost = asyncio.create_task(say(api, user, "/go", dialog, "m-1"))
    await called(text_reply, 1)
    assert (await read(api, dialog, "m-1")).json["status"] == "queued"
    await lose_the_instance(pool)
    text_reply.reply = good
    assert await recover(pool, settings) == 1
    assert text_reply.calls[0]["invocation_id"] == text_reply.calls[1]["invocation_id"]
    final = await read(api, dialog, "m-1")
    assert final.json["plugin_responses"][0]["content"] == "echo: /go"
    gate.go_on.set()
    assert (await lost).raw == final.raw
    assert len(chosen.calls) == 1


async def test_with_too_little_time_left_the_fallback_answers_later(  # noqa: PLR0917  # its fixtures and parameters
    api: Api,
    text_reply: ScriptedPlugin,
    chosen: ScriptedPlugin,
    pool: asyncpg.Pool,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replacement, "LEAST_SECONDS", settings.call_deadline_seconds)
    user, dialog = await api.user(), uuid4()
    answer = await say(api, user, "/go", dialog, "m-1")
    assert (answer.status, answer.json["status"]) == (202, "queued")
    assert text_reply.calls == []
    chosen_id, fallback_id = await ids(pool)
    assert await told(pool, chosen_id) == [STARTED, FAILED]
    assert await told(pool, fallback_id) == [QUEUED]
    again = await say(api, user, "/go", dialog, "m-1")
    assert (again.status, again.raw) == (202, answer.raw)
    assert await recover(pool, settings) == 1
    assert (await read(api, dialog, "m-1")).json["status"] == "accepted"


async def test_the_fallback_that_takes_too_long_goes_to_the_queue_itself(
    api: Api,
    text_reply: ScriptedPlugin,
    chosen: ScriptedPlugin,
    pool: asyncpg.Pool,
    settings: Settings,
) -> None:
    good, text_reply.reply = text_reply.reply, hang
    answer = await say(api, await api.user(), "/go", headers={"X-Deadline-Ms": "2000"})
    assert answer.status == 202
    text_reply.reply = good
    assert await recover(pool, settings) == 1
    assert text_reply.calls[0]["invocation_id"] == text_reply.calls[1]["invocation_id"]
    assert await calls(pool) == [("failed", 1, "plugin_rejected"), ("succeeded", 2, None)]


async def test_what_a_worker_calls_in_vain_is_answered_by_the_fallback_in_its_place(
    api: Api,
    text_reply: ScriptedPlugin,
    chosen: ScriptedPlugin,
    pool: asyncpg.Pool,
    settings: Settings,
) -> None:
    user, dialog = await api.user(), uuid4()
    await say(api, user, "/go", dialog, "m-1", LATER)
    await say(api, user, "next", dialog, "m-2", LATER)
    gate = Gate()
    text_reply.reply = gate.reply
    making = asyncio.create_task(recover(pool, settings))
    await called(text_reply, 1)
    assert await recover(pool, settings) == 0  # `next` waits for the second call as well
    assert (await read(api, dialog, "m-1")).json["status"] == "queued"
    gate.go_on.set()
    assert await making == 1
    assert (await read(api, dialog, "m-1")).json["status"] == "accepted"
    assert await recover(pool, settings) == 1
    order = [call["payload"]["text"] for call in text_reply.calls]
    assert order == ["/go", "next"]


async def test_the_fallback_answers_for_a_plugin_that_was_disabled_meanwhile(
    api: Api,
    text_reply: ScriptedPlugin,
    chosen: ScriptedPlugin,
    pool: asyncpg.Pool,
    settings: Settings,
) -> None:
    user, dialog = await api.user(), uuid4()
    await say(api, user, "/go", dialog, "m-1", LATER)
    await pool.execute(
        "UPDATE plugins SET status = 'disabled', disabled_at = now() WHERE name = 'chosen'"
    )
    assert await recover(pool, settings) == 1
    assert (await read(api, dialog, "m-1")).json["status"] == "accepted"
    assert chosen.calls == []
    assert await calls(pool) == [("rejected", 1, "plugin_unavailable"), ("succeeded", 1, None)]


async def test_after_a_reset_there_is_nothing_to_answer_any_more(
    api: Api, text_reply: ScriptedPlugin, chosen: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, dialog, go_on = await api.user(), uuid4(), asyncio.Event()

    async def refuse(_body: Body, _request: web.Request) -> web.StreamResponse:
        await go_on.wait()
        return web.Response(status=500)

    chosen.reply = refuse
    asked = asyncio.create_task(say(api, user, "/go", dialog, "m-1"))
    await called(chosen, 1)
    body = {"user_id": user, "reason": "user_requested"}
    assert (await api.bot("POST", f"/api/v1/dialogs/{dialog}/reset", json=body)).status == 200
    go_on.set()
    assert (await asked).json["error"]["code"] == "plugin_rejected"
    assert text_reply.calls == []
