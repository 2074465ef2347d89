"""Nothing of an erased user is left anywhere, and of everybody else all."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from redis.asyncio import Redis

from impl.db import open_pool
from impl.erasure import eraser as erasers
from impl.feed.places import Places
from impl.settings import Settings
from tests.faults.checker import Ledgers, check, entry_of, read_stored
from tests.faults.log import Log
from tests.integration.api.queued import LATER, say
from tests.integration.api.test_relay import entries
from tests.integration.api.test_reset import reset
from tests.integration.cli.commands import Ended, botcore
from tests.integration.erasure.conftest import Bot, Operator, Reporting, Worker
from tests.integration.erasure.searching import keys_with, tables_with
from tests.stack import Answer, Api

CANARY = "canary-7f3a"
OTHERS = "sparrow-91c2"
SPOKEN = {"bot_users", "message_keys", "messages", "notification_deliveries", "plugin_calls",
          "plugin_events"}  # fmt: skip


async def erase(api: Api, user: str) -> Answer:
    return await api.bot("DELETE", f"/api/v1/users/{user}")


async def registered(bot: Api | Bot, text: str, telegram_id: int = 814) -> str:
    body = {"telegram_id": telegram_id, "display_name": text, "metadata": {"source": text}}
    path = "/api/v1/users" if isinstance(bot, Api) else "/users"
    send = bot.bot if isinstance(bot, Api) else bot.send
    return str((await send("POST", path, json=body)).json["user_id"])


async def lived(api: Api, reporting: Reporting, worker: Worker, operator: Operator) -> list[UUID]:
    """A user (of telegram id 814) who left their words wherever words can be left: the dialogs."""
    user, first, second, third = await registered(api, CANARY), *(uuid4() for _ in range(3))
    await operator.send("POST", "/notifications/subscriptions",
                        json={"url": reporting.plugin.url, "min_severity": "info"})  # fmt: skip
    await operator.send("PUT", f"/admin/bots/{api.bot_id}/callback",
                        json={"callback_url": reporting.plugin.url})  # fmt: skip
    await api.say(user, CANARY, first, message_id=f"{CANARY}-1", metadata={"source": CANARY})
    await say(api, user, CANARY, first, f"{CANARY}-2", LATER)
    await api.say(user, CANARY, second)
    assert (await reset(api, second, user)).status == 200
    await api.say(user, CANARY, second)
    reporting.plugin.reply = _refuse
    await api.say(user, CANARY, third)
    assert (await reporting.report(uuid4(), third, CANARY)).status == 200
    late = "UPDATE plugin_calls SET queued_at = created_at WHERE dialog_id = $1"
    await worker.pool.execute(late, first)  # so that the bot is called back
    await worker.collector.collect()
    await worker.publish()
    return [first, second, third]


async def _refuse(_body: dict[str, Any], _request: object) -> Any:
    raise RuntimeError("the plugin fails")


async def test_what_takes_longer_than_any_message_may_is_removed(
    api: Api, worker: Worker, settings: Settings, pool: asyncpg.Pool
) -> None:
    user = await registered(api, CANARY)
    await api.say(user, CANARY, uuid4())
    assert (await erase(api, user)).status == 200
    await pool.execute("""
        CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN PERFORM pg_sleep(3); RETURN NULL; END';
        CREATE TRIGGER slow BEFORE DELETE ON messages EXECUTE FUNCTION slowly()
    """)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("impl.db.TRANSACTION_SECONDS", 2.0)
        limited = await open_pool(settings)
        await replace(worker, eraser=replace(worker.eraser, pool=limited)).erase()
        await limited.close()
    assert await pool.fetchval("SELECT count(*) FROM messages") == 0


async def test_nothing_of_it_is_left(  # noqa: PLR0917  # fixtures
    api: Api, reporting: Reporting, worker: Worker, operator: Operator, pool: asyncpg.Pool,
    redis: Redis, settings: Settings, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    dialogs = await lived(api, reporting, worker, operator)
    user = str(await pool.fetchval("SELECT id FROM users"))
    assert await tables_with(pool, CANARY) == SPOKEN
    assert "dialog:events" in await keys_with(redis, user)
    told = await keys_with(redis, str(dialogs[0]))
    assert {f"dialog:state:{dialogs[0]}", f"plugin:invocations:{reporting.id}"} <= told
    erased = await erase(api, user)
    assert (erased.status, erased.json["user_id"]) == (200, user)
    await worker.erase()
    await worker.publish()
    await worker.collector.collect()
    assert await tables_with(pool, CANARY) == set()
    assert await keys_with(redis, CANARY) == set()
    # That it happened is kept, by the ids alone.
    for dialog in map(str, dialogs):
        assert await tables_with(pool, dialog) == {"audit_logs"}
        assert await keys_with(redis, dialog) == set()
    facts = {"audit_logs", "erasures", "notification_deliveries", "outbox"}
    assert await tables_with(pool, user) == facts
    [(_, fields)] = [pair for pair in await entries(redis, "dialog:events") if user in str(pair)]
    assert fields["event_type"] == "user_erased"
    assert await pool.fetchval("SELECT count(*) FROM users") == 0
    # Streams and tables are one, also once Redis has lost all.
    assert await worker.differences() == []
    assert await _i5(pool, redis) == []
    await redis.flushdb()
    await worker.relay.check_streams()
    await worker.publish()
    assert [await keys_with(redis, str(each)) for each in dialogs] == [set()] * 3
    assert await worker.differences() == []
    assert await _i5(pool, redis) == []
    # The feed goes on past the places where it was.
    place = Places(settings.secret_key.get_secret_value()).write(0)
    headers = {"X-Admin-Key": operator.key, "Last-Event-ID": place}
    feed = await api.send("GET", "/api/v1/plugins/events/stream?max_seconds=0", headers=headers)
    assert feed.status == 200
    assert [str(each).encode() in feed.raw for each in dialogs] == [False] * 3
    assert b"plugin_registered" in feed.raw
    output = capsys.readouterr()
    assert "users_erased" in output.out
    assert CANARY not in output.out + output.err


async def _i5(pool: asyncpg.Pool, redis: Redis) -> list[str]:
    """What the fault suite finds of events, the audit log, the outbox and the streams."""
    streams = {
        row["name"]: [entry_of(fields) for _, fields in await entries(redis, row["name"])]
        for row in await pool.fetch("SELECT name FROM streams")
    }
    async with pool.acquire() as connection:
        stored = await read_stored(connection)
    return [text for text in check(Log(), stored, streams, Ledgers()).texts if "event" in text]


async def test_a_bot_erases_its_own_part_alone_and_an_operator_all(  # noqa: PLR0917  # fixtures
    api: Api, reporting: Reporting, worker: Worker, operator: Operator, other: Bot,
    pool: asyncpg.Pool, redis: Redis,
) -> None:  # fmt: skip
    user, dialog = await registered(api, CANARY), uuid4()
    assert await registered(other, OTHERS) == user
    body = {"user_id": user, "payload": {"type": "text", "text": OTHERS}}
    kept = f"/dialogs/{uuid4()}"
    await other.send("POST", f"{kept}/messages", json=body)
    await api.say(user, CANARY, dialog)
    assert (await erase(api, user)).status == 200
    await worker.erase()
    await worker.publish()
    assert await tables_with(pool, CANARY) == set()
    assert await tables_with(pool, OTHERS) == {
        "bot_users", "message_keys", "messages", "plugin_calls"
    }  # fmt: skip
    assert len((await other.send("GET", kept)).json["messages"]) == 2
    assert await pool.fetchval("SELECT telegram_id FROM users") == 814
    assert (await operator.send("DELETE", f"/users/{user}")).status == 200
    assert (await other.send("GET", kept)).json["code"] == "dialog_not_found"
    assert (await other.send("DELETE", f"/users/{user}")).json["code"] == "user_not_found"
    await worker.erase()
    assert await tables_with(pool, OTHERS) == set()
    assert await pool.fetchval("SELECT count(*) FROM users") == 0
    by = "SELECT details FROM audit_logs WHERE action = 'user_erased' AND event_id IS NULL"
    assert await pool.fetchval(by) == {
        "user_id": user, "bot_id": None, "admin_key_id": operator.key_id
    }  # fmt: skip


async def test_it_is_gone_at_once(
    api: Api, reporting: Reporting, worker: Worker, pool: asyncpg.Pool
) -> None:
    """Before any worker has come to it."""
    user, dialog = await api.user(), uuid4()
    await api.say(user, "Hello!", dialog, message_id="m-1")
    await erase(api, user)
    path = f"/api/v1/dialogs/{dialog}"
    for answer, code in (
        (await api.bot("GET", path), "dialog_not_found"),
        (await api.bot("GET", f"{path}/messages/m-1"), "message_not_found"),
        (await reset(api, dialog, user), "user_not_found"),
        (await api.say(user, "Hello?", dialog), "user_not_found"),
        (await api.say(user, "Hello?"), "user_not_found"),
    ):
        assert (answer.status, answer.json["code"]) == (404, code)
    again = await api.user()
    assert again != user
    answer = await api.say(again, "Hello again!", dialog)
    assert (answer.status, answer.json["code"]) == (404, "dialog_not_found")
    await worker.erase()
    assert (await api.say(again, "Hello again!", dialog)).status == 200
    assert await pool.fetchval("SELECT count(*) FROM messages") == 2


async def test_it_is_repeated_without_harm(
    api: Api, other: Bot, worker: Worker, pool: asyncpg.Pool
) -> None:
    user = await api.user(814)
    assert await registered(other, OTHERS) == user
    first, second = await erase(api, user), await erase(api, user)
    assert (second.status, second.raw) == (200, first.raw)
    await worker.erase()
    assert (await erase(api, user)).raw == first.raw
    assert await api.user(814) == user
    third = await erase(api, user)
    moments = [datetime.fromisoformat(each.json["erased_at"]) for each in (first, third)]
    assert moments[0] < moments[1]
    told = "SELECT count(*) FROM outbox WHERE body->>'event_type' = 'user_erased'"
    assert await pool.fetchval(told) == 2


async def test_anothers_user_is_as_absent_as_none(
    api: Api, other: Bot, operator: Operator, pool: asyncpg.Pool
) -> None:
    user = await registered(other, OTHERS)
    answers = [await erase(api, user), await erase(api, str(uuid4()))]
    for answer in answers:
        answer.json.pop("trace_id")
        assert (answer.status, answer.json["code"]) == (404, "user_not_found")
    assert answers[0].json == answers[1].json
    absent = await operator.send("DELETE", f"/users/{uuid4()}")
    assert (absent.status, absent.json["code"]) == (404, "user_not_found")
    assert await tables_with(pool, OTHERS) == {"bot_users"}


async def test_an_operator_erases_by_command_too(
    api: Api, other: Bot, pool: asyncpg.Pool, database: str, tmp_path: Path
) -> None:
    """One bot's part also: what it had erased before a backup was restored."""
    user = await registered(api, CANARY)
    assert await registered(other, OTHERS) == user
    env = {"BOTCORE_DATABASE_URL": database}

    async def command(*more: str) -> Ended:
        return await botcore("users", "erase", *more, env=env, directory=tmp_path)

    done = await command(user, "--bot", "tests")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"user {user} is erased since 2")
    assert await tables_with(pool, CANARY) == set()
    assert (await command(user)).code == 0
    assert await tables_with(pool, OTHERS) == set()
    for wrong, said in (
        ([str(UUID(int=7))], f"botcore: there is no user {UUID(int=7)}\n"),
        ([user, "--bot", "nobody"], "botcore: there is no bot nobody\n"),
    ):
        refused = await command(*wrong)
        assert (refused.code, refused.err) == (1, said)


async def test_what_only_the_streams_still_have_is_removed_there_too(
    api: Api, reporting: Reporting, worker: Worker, pool: asyncpg.Pool, redis: Redis
) -> None:
    """Retention has removed the events; and another dialog had the same trace."""
    user, dialog, other = await api.user(), uuid4(), uuid4()
    trace = {"trace_id": str(uuid4())}
    await api.say(user, "Hello!", dialog, **trace)
    await api.say(await api.user(2), "Hello!", other, **trace)
    await worker.publish()
    await pool.execute("DELETE FROM plugin_events")
    await erase(api, user)
    await worker.erase()
    await worker.publish()
    assert await keys_with(redis, str(dialog)) == set()
    assert await tables_with(pool, str(dialog)) == {"audit_logs"}
    assert len(await keys_with(redis, str(other))) == 2
    assert await worker.differences() == []


async def test_much_is_removed_a_little_at_a_time(  # noqa: PLR0917  # fixtures
    api: Api, reporting: Reporting, worker: Worker, pool: asyncpg.Pool, redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    user, dialog = await registered(api, CANARY), uuid4()
    for _ in range(4):
        await api.say(user, CANARY, dialog)
    await api.say(user, CANARY)
    await worker.publish()
    await erase(api, user)
    monkeypatch.setattr(erasers, "ROWS", 2)
    monkeypatch.setattr(erasers, "DIALOGS", 1)
    assert await worker.erase() > 8
    await worker.publish()
    assert await tables_with(pool, CANARY) == set()
    assert await pool.fetchval("SELECT count(*) FROM users") == 0
    assert await keys_with(redis, str(dialog)) == set()
    assert await worker.differences() == []
