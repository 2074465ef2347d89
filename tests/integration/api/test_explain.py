"""`explain` says what the routing that follows does, and does nothing."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from impl.settings import Settings
from impl.tokens.issue import issue
from tests.integration.api.routed import Routed, routed_api
from tests.stack import Answer, ScriptedPlugin

MESSAGES, DIALOGS, AT_ONCE = 1000, 120, 8
LOCALES = ["en", "ru", "pt-BR", "xx-unknown", None]


@pytest_asyncio.fixture
async def routed(
    pool: asyncpg.Pool, settings: Settings, plugin: ScriptedPlugin
) -> AsyncIterator[Routed]:
    async with routed_api(pool, settings, plugin) as running:
        await running.fill()
        yield running


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"plugin_concurrency": 1000})


def text(random_: random.Random, number: int) -> str:
    return random_.choice([
        "/weather Berlin", "/WEATHER", "/weather order 7", "my order 7", "ORDER 12345 please",
        f"it rains {number}", f"parcel {number}", f"nothing {number}", f"ветер {number} שלום", "🙂",
    ])  # fmt: skip


def scores(random_: random.Random) -> list[tuple[str, float]]:
    tags = random_.sample(["weather", "order", "unknown"], 3)
    return sorted(((tag, random_.random()) for tag in tags), key=lambda one: -one[1])


async def test_it_is_the_routing_that_follows_on_a_thousand_messages(routed: Routed) -> None:
    random_ = random.Random(5)
    users = [await routed.api.user(n + 1, locale) for n, locale in enumerate(LOCALES)]
    queue = [
        [(n, text(random_, n), {"vip": random_.random() < 0.2, "n": n})
         for n in range(start, MESSAGES, DIALOGS)]
        for start in range(DIALOGS)
    ]  # fmt: skip
    said = {one: scores(random_) for messages in queue for _, one, _ in messages}
    routed.classifier.script = said
    explained: dict[str, Any] = {}

    async def talk(number: int) -> None:
        dialog, at = uuid4(), number % len(users)
        for index, one, metadata in queue[number]:
            body = {"metadata": metadata, "locale": LOCALES[at], "dialog_id": str(dialog)}
            explained[f"m-{index}"] = await routed.explained(one, **body)
            more = {"metadata": metadata, "message_id": f"m-{index}"}
            answer = await routed.api.say(users[at], one, dialog, **more)
            assert (answer.status, answer.json["status"]) == (200, "accepted"), answer.raw

    for start in range(0, DIALOGS, AT_ONCE):
        await asyncio.gather(*(talk(number) for number in range(start, start + AT_ONCE)))
    rows = await routed.pool.fetch("SELECT message_id, routing FROM plugin_calls")
    stored = {row["message_id"]: {**row["routing"], "microseconds": 0} for row in rows}
    assert {key: {**one, "microseconds": 0} for key, one in explained.items()} == stored
    assert len(stored) == MESSAGES
    assert {one["stage"] for one in stored.values()} == {
        "command", "regex", "custom", "classifier", "fallback"
    }  # fmt: skip
    assert any(one["bonus"] for row in stored.values() for one in row["candidates"])


async def test_nothing_is_stored_and_nobody_is_called(routed: Routed) -> None:
    tables = ("dialogs", "messages", "message_keys", "plugin_calls", "outbox", "audit_logs")

    async def counted() -> list[int]:
        return [await routed.pool.fetchval(f"SELECT count(*) FROM {one}") for one in tables]

    before = await counted()
    for dialog in (None, str(uuid4())):
        assert (await routed.explained("/weather", dialog_id=dialog))["plugin"] == "weather"
    assert (await counted(), routed.plugin.calls) == (before, [])


async def test_the_language_is_the_dialogs_users_where_none_is_given(routed: Routed) -> None:
    user, dialog = await routed.api.user(locale="ru"), uuid4()
    await routed.say(user, "x", dialog, metadata={"vip": True})
    named = {"dialog_id": str(dialog)}
    assert (await routed.explained("x", **named))["intent"] == "again"
    assert (await routed.explained("x", **named, locale="en"))["intent"] is None


GOOD: dict[str, Any] = {"payload": {"type": "text", "text": "x"}}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"payload": {"type": "text", "text": ""}}, "/payload/text"),
        ({"payload": {"type": "text"}}, "/payload/text"),
        ({"payload": {"type": "text", "text": "x" * 4097}}, "/payload/text"),
        ({"payload": {"type": "smell", "text": "x"}}, "/payload"),
        ({"payload": None}, "/payload"),
        ({"locale": "no such language"}, "/locale"),
        ({"dialog_id": "seven"}, "/dialog_id"),
        ({"metadata": {"deep": {"er": 1}}}, "/metadata/deep"),
        ({"user_id": str(uuid4())}, "/user_id"),
    ],
)
async def test_what_no_message_could_be_is_refused(
    routed: Routed, change: dict[str, Any], place: str
) -> None:
    answer = await routed.explain(**{**GOOD, **change})
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    assert place in {error["pointer"] for error in answer.json["errors"]}


async def asked_with(routed: Routed, key: str | None) -> Answer:
    headers = {} if key is None else {"X-Admin-Key": key}
    return await routed.api.send("POST", "/api/v1/routing/explain", json=GOOD, headers=headers)


async def test_only_a_key_with_the_scope_may_ask(routed: Routed, pool: asyncpg.Pool) -> None:
    narrow = await issue(pool, "admin", scopes=["audit:read", "plugins:manage"])
    assert (await asked_with(routed, narrow.plaintext)).status == 403
    assert (await asked_with(routed, None)).status == 401
    assert (await asked_with(routed, routed.api.bot_token)).status == 401
    assert (await asked_with(routed, routed.key)).status == 200


async def test_a_dialog_of_any_bot_may_be_named(routed: Routed) -> None:
    """Operators are nobody's bot; what a dialog holds is not told."""
    dialog = UUID(int=7)
    await routed.say(await routed.api.user(), "/weather secret", dialog)
    decision = await routed.explained("x", dialog_id=str(dialog))
    assert "secret" not in str(decision)
