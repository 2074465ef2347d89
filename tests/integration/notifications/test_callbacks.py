"""A bot is told once that an answer came late, and never what it says."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest_asyncio

from impl.settings import Settings
from tests.integration.api.queued import LATER, read, recover, say
from tests.integration.api.test_plugin_failures import status
from tests.integration.notifications.conftest import Operator, Worker
from tests.integration.notifications.receiver import Receiver
from tests.stack import Api, Gate, ScriptedPlugin, regex_intent, running_api, scripted_plugin


@pytest_asyncio.fixture
async def text_reply(api: Api, plugin: ScriptedPlugin) -> ScriptedPlugin:
    await api.add_plugin(plugin.url)
    return plugin


@pytest_asyncio.fixture
async def callback(api: Api, operator: Operator, hook: Receiver) -> AsyncIterator[str]:
    """The id of the subscription by which the bot is called back."""
    path = f"/admin/bots/{api.bot_id}/callback"
    answer = await operator.send("PUT", path, json={"callback_url": hook.url})
    assert answer.status == 200, answer.raw
    hook.secret = answer.json["secret"]
    yield answer.json["subscription"]["id"]


async def test_a_late_answer_is_told_by_its_ids(  # noqa: PLR0917  # fixtures
    api: Api, text_reply: ScriptedPlugin, callback: str, hook: Receiver, worker: Worker,
    pool: asyncpg.Pool, settings: Settings,
) -> None:  # fmt: skip
    user, dialog = await api.user(), uuid4()
    queued = await say(api, user, "a secret wish", dialog, "m1", LATER)
    assert queued.status == 202
    assert (await say(api, user, "at once", dialog, "m2")).status in {200, 202}
    while await recover(pool, settings):
        pass
    while await worker.once():
        pass
    told = [body for body in hook.got if body["data"]["message_id"] == "m1"]
    (body,) = told
    assert body["type"] == "message_answered"
    assert body["data"] == {
        "dialog_id": str(dialog),
        "message_id": "m1",
        "status": "accepted",
        "trace_id": queued.json["trace_id"],
    }
    answer = await read(api, dialog, "m1")
    assert answer.json["plugin_responses"][0]["content"] == "echo: a secret wish"
    assert "wish" not in str(hook.got)


async def test_an_answer_that_another_instance_had_to_finish_is_told(  # noqa: PLR0917  # fixtures
    api: Api, text_reply: ScriptedPlugin, callback: str, hook: Receiver, worker: Worker,
    pool: asyncpg.Pool, settings: Settings,
) -> None:  # fmt: skip
    """Whoever asked saw the connection end, and was promised nothing."""
    user, dialog, gate = await api.user(), uuid4(), Gate()
    text_reply.reply, good = gate.reply, text_reply.reply
    asked = asyncio.create_task(say(api, user, "Hello!", dialog, "m1"))
    await text_reply.called.wait()
    await pool.execute("UPDATE plugin_calls SET lease_until = now() - interval '1 second'")
    text_reply.reply = good
    assert await recover(pool, settings) == 1
    while await worker.once():
        pass
    assert [body["data"]["message_id"] for body in hook.got] == ["m1"]
    gate.go_on.set()
    await asked
    while await worker.once():
        pass
    assert len(hook.got) == 1


async def test_an_answer_within_the_request_is_told_nobody(
    api: Api, text_reply: ScriptedPlugin, callback: str, hook: Receiver, worker: Worker
) -> None:
    assert (await say(api, await api.user(), "Hello!")).status == 200
    assert await worker.once() == 0


async def test_a_failure_is_told_as_one(  # noqa: PLR0917  # fixtures
    api: Api, text_reply: ScriptedPlugin, callback: str, hook: Receiver, worker: Worker,
    pool: asyncpg.Pool, settings: Settings,
) -> None:  # fmt: skip
    text_reply.reply = status(500)
    assert (await say(api, await api.user(), "Hello!", headers=LATER)).status == 202
    await recover(pool, settings)
    await worker.once()
    assert [body["data"]["status"] for body in hook.got] == ["failed"]


async def test_a_message_that_another_plugin_answers_is_told_once(
    pool: asyncpg.Pool, settings: Settings, hook: Receiver, plugin: ScriptedPlugin, worker: Worker
) -> None:
    policy = settings.model_copy(update={"plugin_failure_policy": "fallback"})
    async with running_api(pool, policy, bot_name="other") as api, scripted_plugin() as refusing:
        refusing.reply = status(500)
        await api.add_plugin(plugin.url)
        await api.add_plugin(refusing.url, "chosen", regex_intent("slash", "^/"))
        await asyncio.sleep(settings.catalogue_refresh_seconds * 2)
        await pool.execute(
            """INSERT INTO notification_subscriptions (url, bot_id, event_types, min_severity)
            VALUES ($1, $2, '{message_answered}', 'info')""",
            hook.url,
            api.bot_id,
        )
        assert (await say(api, await api.user(), "/x", message_id="m", headers=LATER)).status == 202
        while await recover(pool, policy):
            pass
        assert await pool.fetchval("SELECT count(*) FROM plugin_calls") == 2
        await worker.collector.collect()
    bodies = await pool.fetch("SELECT body FROM notification_deliveries")
    assert [row["body"]["data"]["status"] for row in bodies] == ["accepted"]


async def test_only_its_own_bot_is_told(  # noqa: PLR0917  # fixtures
    api: Api, text_reply: ScriptedPlugin, callback: str, hook: Receiver, worker: Worker,
    pool: asyncpg.Pool, settings: Settings,
) -> None:  # fmt: skip
    async with running_api(pool, settings, bot_name="other") as other:
        assert (await say(other, await other.user(2), "Hello!", headers=LATER)).status == 202
        await recover(pool, settings)
    assert await worker.once() == 0


async def test_another_url_keeps_the_secret_and_a_removed_one_is_called_no_more(  # noqa: PLR0917  # fixtures
    api: Api, text_reply: ScriptedPlugin, callback: str, hook: Receiver, operator: Operator,
    worker: Worker, pool: asyncpg.Pool, settings: Settings,
) -> None:  # fmt: skip
    path = f"/admin/bots/{api.bot_id}/callback"
    again = await operator.send("PUT", path, json={"callback_url": f"{hook.url}?two"})
    assert (again.json["secret"], again.json["subscription"]["id"]) == (None, callback)
    bots = (await operator.send("GET", "/admin/bots")).json["items"]
    assert [bot["callback_url"] for bot in bots] == [f"{hook.url}?two"]
    await say(api, await api.user(), "Hello!", headers=LATER)
    await recover(pool, settings)
    await worker.once()
    assert (len(hook.got), hook.bad) == (1, 0)
    for _ in range(2):
        removed = await operator.send("DELETE", path)
        assert (removed.status, removed.json["callback_url"]) == (200, None)
    await say(api, await api.user(), "Hello!", headers=LATER)
    await recover(pool, settings)
    assert await worker.once() == 0
    nobody = await operator.send("PUT", f"/admin/bots/{uuid4()}/callback",
                                 json={"callback_url": hook.url})  # fmt: skip
    assert (nobody.status, nobody.json["code"]) == (404, "bot_not_found")
