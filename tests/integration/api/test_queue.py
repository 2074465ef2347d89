"""An answer that comes later: when the bot is told so, and what it reads until then."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from impl.settings import Settings
from tests.integration.api.queued import (
    COMPLETED,
    LATER,
    QUEUED,
    STARTED,
    called,
    calls,
    hang,
    queue,
    read,
    recover,
    say,
    told,
)
from tests.stack import (
    Api,
    Gate,
    ScriptedPlugin,
    regex_intent,
    running_api,
    scripted_plugin,
    settings_for,
)

Running = Callable[..., AbstractAsyncContextManager[tuple[Api, Settings]]]


@pytest.fixture
def running(pool: asyncpg.Pool, database: str, valkey: str, plugin: ScriptedPlugin) -> Running:
    """An API with these settings, and `plugin` as its fallback."""

    @asynccontextmanager
    async def run(**changed: Any) -> AsyncIterator[tuple[Api, Settings]]:
        settings = settings_for(database, valkey, **changed)
        async with running_api(pool, settings) as api:
            await api.add_plugin(plugin.url)
            yield api, settings

    return run


async def test_who_asks_for_it_is_answered_later(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    user, dialog = await api.user(), uuid4()
    answer = await say(api, user, "Hello!", dialog, "m-1", LATER)
    assert answer.status == 202, answer.raw
    assert (answer.json["status"], answer.json["plugin_responses"]) == ("queued", [])
    assert answer.json["trace_id"] == answer.headers["X-Trace-Id"]
    assert answer.headers["Location"] == f"/api/v1/dialogs/{dialog}/messages/m-1"
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert "RateLimit" in answer.headers
    assert "Idempotency-Replayed" not in answer.headers
    assert text_reply.calls == []
    assert await calls(pool) == [("queued", 0, None)]

    again = await say(api, user, "Hello!", dialog, "m-1")
    assert (again.status, again.raw) == (202, answer.raw)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Preference-Applied" not in again.headers
    meanwhile = await read(api, dialog, "m-1")
    assert (meanwhile.status, meanwhile.raw) == (200, answer.raw)
    history = await api.bot("GET", f"/api/v1/dialogs/{dialog}")
    assert [item["sender_type"] for item in history.json["messages"]] == ["user"]

    assert await recover(pool, settings) == 1
    (call,) = text_reply.calls
    assert call["deadline_ms"] == settings.call_deadline_seconds * 1000
    final = await read(api, dialog, "m-1")
    assert final.json["plugin_responses"][0]["content"] == "echo: Hello!"
    assert final.json["trace_id"] == answer.json["trace_id"]
    replay = await say(api, user, "Hello!", dialog, "m-1", LATER)
    assert (replay.status, replay.raw) == (200, final.raw)
    assert replay.headers["Idempotency-Replayed"] == "true"
    history = await api.bot("GET", f"/api/v1/dialogs/{dialog}")
    assert [item["sender_type"] for item in history.json["messages"]] == ["user", "plugin"]
    assert await calls(pool) == [("succeeded", 1, None)]
    assert await told(pool) == [QUEUED, STARTED, COMPLETED]


async def test_another_message_under_the_key_of_one_that_waits_is_refused(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    user, dialog = await api.user(), uuid4()
    await say(api, user, "Hello!", dialog, "m-1", LATER)
    other = await say(api, user, "Another", dialog, "m-1", LATER)
    assert (other.status, other.json["code"]) == (422, "message_id_reused")


@pytest.mark.parametrize("asked", ["1000", "60000", None])
async def test_a_deadline_that_runs_out_hands_the_call_over(
    running: Running, plugin: ScriptedPlugin, pool: asyncpg.Pool, asked: str | None
) -> None:
    """The bot's own where it is the shorter one; else the deployment's."""
    deadline = 30 if asked == "1000" else 1
    async with running(call_deadline_seconds=deadline) as (api, settings):
        user, dialog = await api.user(), uuid4()
        good, plugin.reply = plugin.reply, hang
        began = time.monotonic()
        headers = {} if asked is None else {"X-Deadline-Ms": asked}
        answer = await say(api, user, "Hello!", dialog, "m-1", headers)
        assert 1 <= time.monotonic() - began < 25
        assert (answer.status, answer.json["status"]) == (202, "queued")
        assert "Preference-Applied" not in answer.headers
        assert plugin.calls[0]["deadline_ms"] <= 1000
        assert await calls(pool) == [("queued", 1, None)]
        assert await pool.fetchval("SELECT lease_until FROM plugin_calls") is None
        assert await told(pool) == [STARTED, QUEUED]

        plugin.reply = good
        patient = settings.model_copy(update={"call_deadline_seconds": 30})
        assert await recover(pool, patient) == 1
        first, second = plugin.calls
        assert first["invocation_id"] == second["invocation_id"]
        assert second["deadline_ms"] == 30_000
        assert (await read(api, dialog, "m-1")).json["status"] == "accepted"
        assert await calls(pool) == [("succeeded", 2, None)]
        assert await told(pool) == [STARTED, QUEUED, STARTED, COMPLETED]


async def test_a_deadline_that_names_nothing_stores_nothing(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    answer = await say(api, await api.user(), "Hello!", headers={"X-Deadline-Ms": "99"})
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    (error,) = answer.json["errors"]
    assert (error["location"], error["pointer"]) == ("header", "/X-Deadline-Ms")
    assert await pool.fetchval("SELECT count(*) FROM dialogs") == 0


async def test_an_unknown_preference_is_nobodys_fault(api: Api, text_reply: ScriptedPlugin) -> None:
    answer = await say(api, await api.user(), "Hello!", headers={"Prefer": 'wait=5, "; ,='})
    assert (answer.status, answer.json["status"]) == (200, "accepted")


async def test_at_its_limit_a_plugin_is_called_later_and_others_are_not(
    running: Running, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    async with running(plugin_concurrency=1) as (api, settings), scripted_plugin() as other:
        await api.add_plugin(other.url, "other", regex_intent("other", "^other"))
        user, gate, good = await api.user(), Gate(), plugin.reply
        plugin.reply = gate.reply
        hanging = asyncio.create_task(say(api, user, "first"))
        await called(plugin, 1)
        second = await say(api, user, "second")
        assert (second.status, second.json["status"]) == (202, "queued")
        assert "Preference-Applied" not in second.headers
        assert (await say(api, user, "other")).status == 200
        gate.go_on.set()
        assert (await hanging).status == 200
        plugin.reply = good
        assert (await say(api, user, "third")).status == 200
        assert [call["payload"]["text"] for call in plugin.calls] == ["first", "third"]
        assert await recover(pool, settings) == 1


async def test_a_full_queue_stores_nothing(
    running: Running, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    tables = ("dialogs", "messages", "message_keys", "plugin_calls", "outbox", "audit_logs")

    async def rows() -> list[int]:
        return [await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables]

    async with running(queue_limit=2) as (api, settings):
        user, dialog = await api.user(), uuid4()
        for number in range(2):
            assert (await say(api, user, "waits", dialog, f"m-{number}", LATER)).status == 202
        before = await rows()
        refused = await say(api, user, "one too many", None, "m-9", LATER)
        assert (refused.status, refused.json["code"]) == (503, "queue_full")
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert await rows() == before
        assert (await say(api, user, "waits", dialog, "m-0", LATER)).status == 202
        assert (await say(api, user, "waits for it")).status == 200
        assert await recover(pool, settings) == 1  # the second one waits for the first
        assert (await say(api, user, "one too many", None, "m-9", LATER)).status == 202


async def test_while_a_worker_makes_the_call_the_bot_is_still_told_to_wait(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    user, dialog, gate = await api.user(), uuid4(), Gate()
    first = await say(api, user, "Hello!", dialog, "m-1", LATER)
    text_reply.reply = gate.reply
    async with queue(pool, settings) as worker:
        making = asyncio.create_task(worker.run_once())
        await called(text_reply, 1)
        again = await say(api, user, "Hello!", dialog, "m-1")
        assert (again.status, again.raw) == (202, first.raw)
        assert (await read(api, dialog, "m-1")).raw == first.raw
        gate.go_on.set()
        await making
    assert (await read(api, dialog, "m-1")).json["status"] == "accepted"


async def test_a_final_answer_has_the_same_bytes_however_it_was_reached(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    user, trace_id = await api.user(), str(uuid4())
    bodies: list[bytes] = []
    for message_id, wish in (("at-once", {}), ("later", LATER)):
        dialog = uuid4()
        await say(api, user, "Hello!", dialog, message_id, {**wish, "X-Trace-Id": trace_id})
        await recover(pool, settings)
        final = await read(api, dialog, message_id)
        bodies.append(final.raw.replace(str(dialog).encode(), b""))
    assert bodies[0] == bodies[1]
    assert len(text_reply.calls) == 2


async def test_a_reset_rejects_what_waits(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    user, dialog = await api.user(), uuid4()
    await say(api, user, "Hello!", dialog, "m-1", LATER)
    body = {"user_id": user, "reason": "user_requested"}
    assert (await api.bot("POST", f"/api/v1/dialogs/{dialog}/reset", json=body)).status == 200
    assert await recover(pool, settings) == 0
    assert text_reply.calls == []
    assert await calls(pool) == [("rejected", 0, "dialog_reset")]
    assert (await read(api, dialog, "m-1")).json["error"]["code"] == "dialog_reset"
    assert await told(pool) == [QUEUED, ("plugin_failed", "rejected", "dialog_reset")]


async def test_of_fifty_at_once_one_waits(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user, dialog = await api.user(), uuid4()
    answers = await asyncio.gather(
        *(say(api, user, "Hello!", dialog, "m-1", LATER) for _ in range(50))
    )
    assert {answer.status for answer in answers} == {202}
    assert len({answer.raw for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert await calls(pool) == [("queued", 0, None)]
