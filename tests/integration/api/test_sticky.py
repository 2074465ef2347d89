"""A dialog's last plugin keeps it, as far as its manifest asks."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest_asyncio
from aiohttp import web

from impl.settings import Settings
from tests.integration.api.routed import Routed, routed_api, where
from tests.integration.api.test_plugin_failures import status
from tests.stack import ScriptedPlugin

FOLLOW_UP = {"and tomorrow?": [("weather", 0.4), ("order", 0.2)]}
STICKS, LEAVES = "classifier weather", "fallback text_reply"


@pytest_asyncio.fixture
async def routed(
    pool: asyncpg.Pool, settings: Settings, plugin: ScriptedPlugin
) -> AsyncIterator[Routed]:
    async with routed_api(pool, settings, plugin) as running:
        await running.fill()
        running.classifier.script = FOLLOW_UP
        yield running


async def after_weather(routed: Routed, user: str) -> UUID:
    dialog = uuid4()
    assert where(await routed.say(user, "/weather", dialog)) == "command weather"
    return dialog


async def asked(routed: Routed, user: str, dialog: UUID) -> str:
    """What explain says, and then the routing itself: both the same."""
    explained = await routed.explained("and tomorrow?", dialog_id=str(dialog))
    decision = await routed.say(user, "and tomorrow?", dialog)
    assert {**explained, "microseconds": 0} == {**decision, "microseconds": 0}
    return where(decision)


async def test_a_follow_up_stays_with_the_plugin(routed: Routed) -> None:
    user = await routed.api.user()
    dialog = await after_weather(routed, user)
    assert await asked(routed, user, dialog) == STICKS
    candidate = (await routed.latest(dialog))["candidates"][0]
    assert (candidate["score"], candidate["bonus"], candidate["threshold"]) == (0.4, 0.3, 0.6)
    assert await asked(routed, user, dialog) == STICKS  # the follow-up was its answer too


async def test_another_dialog_has_a_state_of_its_own(routed: Routed) -> None:
    ada, bob = await routed.api.user(1), await routed.api.user(2)
    await after_weather(routed, ada)
    assert await asked(routed, ada, uuid4()) == LEAVES
    assert await asked(routed, bob, uuid4()) == LEAVES


async def test_another_plugin_in_between_takes_over(routed: Routed) -> None:
    user = await routed.api.user()
    dialog = await after_weather(routed, user)
    await routed.say(user, "my order 7", dialog)
    assert await asked(routed, user, dialog) == LEAVES


async def test_a_reset_forgets_it(routed: Routed) -> None:
    user = await routed.api.user()
    dialog = await after_weather(routed, user)
    body = {"user_id": user, "reason": "user_requested"}
    assert (
        await routed.api.bot("POST", f"/api/v1/dialogs/{dialog}/reset", json=body)
    ).status == 200
    assert await asked(routed, user, dialog) == LEAVES


async def test_ten_minutes_by_the_databases_clock_are_the_end_of_it(routed: Routed) -> None:
    user = await routed.api.user()
    for minutes, wanted in (("9 minutes 50 seconds", STICKS), ("10 minutes 1 second", LEAVES)):
        dialog = await after_weather(routed, user)
        await routed.pool.execute(
            "UPDATE plugin_calls SET finished_at = now() - $2::text::interval WHERE dialog_id = $1",
            dialog,
            minutes,
        )
        assert await asked(routed, user, dialog) == wanted


async def test_a_call_that_failed_is_no_answer(routed: Routed) -> None:
    user = await routed.api.user()
    dialog, good = await after_weather(routed, user), routed.plugin.reply
    routed.plugin.reply = status(500)
    await routed.say(user, "my order 7", dialog)
    routed.plugin.reply = good
    assert await asked(routed, user, dialog) == STICKS
    other = uuid4()

    async def refuse(_body: object, _request: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    routed.plugin.reply = refuse
    await routed.say(user, "/weather", other)
    routed.plugin.reply = good
    assert await asked(routed, user, other) == LEAVES


async def test_a_new_version_inherits_the_dialog(routed: Routed) -> None:
    """By name: who talked with 1.0.0 goes on with 1.1.0."""
    user = await routed.api.user()
    dialog = await after_weather(routed, user)
    intents = await routed.pool.fetchval("SELECT intents FROM plugins WHERE name = 'weather'")
    await routed.add("weather", *intents, version="1.1.0", sticky_bonus=0.3)
    assert await asked(routed, user, dialog) == STICKS
    assert (await routed.latest(dialog))["version"] == "1.1.0"
