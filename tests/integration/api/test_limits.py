"""Rate limits as callers meet them, and as an operator sets them."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from generated.limits import DEFAULTS
from impl.ratelimit.shared import FILLED, own_limit_key
from impl.settings import Settings
from tests.integration.api.conftest import Admin
from tests.integration.tokens.rows import make_plugin
from tests.patience import PATIENT_SECONDS
from tests.stack import Answer, Api, ScriptedPlugin, running_api, settings_for
from tests.wire import Line, line_before


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["code"]


@pytest_asyncio.fixture
async def line(valkey: str) -> AsyncIterator[Line]:
    async with line_before(valkey) as running:
        yield running


@pytest.fixture
def settings(database: str, line: Line) -> Settings:
    return settings_for(database, line.url)


@pytest_asyncio.fixture
async def redis(valkey: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(valkey, decode_responses=True)
    yield client
    await client.aclose()


async def set_limit(admin: Admin, subject: str, subject_id: object, quota: int, window: int) -> Any:
    body = {"quota": quota, "window_seconds": window}
    answer = await admin("PUT", f"/limits/{subject}/{subject_id}", json=body)
    assert answer.status == 200, answer.raw
    return answer.json


async def ask(api: Api) -> Answer:
    """A request that is charged to the bot alone, and finds nothing."""
    return await api.bot("GET", f"/api/v1/dialogs/{uuid4()}")


async def let_pass(redis: Redis, bot_id: UUID, seconds: int) -> None:
    """As when so much time has passed since the bot was charged."""
    key = f"{own_limit_key('bot', bot_id)}:bucket"
    level, at = str(await redis.get(key)).split(":")
    await redis.set(key, f"{level}:{int(at) - seconds * 1000}", keepttl=True)


async def test_a_limit_is_hit_and_recovers(api: Api, admin: Admin, redis: Redis) -> None:
    await set_limit(admin, "bot", api.bot_id, 2, 3600)
    answers = [await ask(api) for _ in range(3)]
    assert [answer.status for answer in answers] == [404, 404, 429]
    refused = answers[-1]
    assert refused.json["code"] == "rate_limited"
    assert refused.headers["RateLimit-Policy"] == '"bot";q=2;w=3600'
    left = re.fullmatch(r'"bot";r=0;t=(\d+)', refused.headers["RateLimit"])
    assert left
    assert 3500 < int(left[1]) <= 3600  # until both are back
    assert 1700 < int(refused.headers["Retry-After"]) <= 1800  # until one is
    await let_pass(redis, api.bot_id, seconds=1801)
    assert [(await ask(api)).status for _ in range(2)] == [404, 429]


async def test_of_a_hundred_requests_at_once_on_two_instances_ten_pass(
    api: Api, admin: Admin, pool: asyncpg.Pool, settings: Settings
) -> None:
    await set_limit(admin, "bot", api.bot_id, 10, 3600)
    async with running_api(pool, settings, bot_name="another") as other:
        headers = {"X-Bot-Token": api.bot_token}
        requests = [
            each.send("GET", f"/api/v1/dialogs/{uuid4()}", headers=headers)
            for _ in range(50)
            for each in (api, other)
        ]
        statuses = [answer.status for answer in await asyncio.gather(*requests)]
    assert (statuses.count(404), statuses.count(429)) == (10, 90)


async def test_a_users_limit_counts_messages_and_nothing_else(
    api: Api, admin: Admin, text_reply: ScriptedPlugin
) -> None:
    user, other = await api.user(1), await api.user(2)
    await set_limit(admin, "user", user, 1, 3600)
    await set_limit(admin, "bot", api.bot_id, 100, 3600)
    assert (await api.say(user, "Hello!")).status == 200
    refused = await api.say(user, "Hello?")
    assert code(refused) == (429, "rate_limited")
    told = re.fullmatch(
        r'"bot";r=(\d+);t=\d+, "user";r=(\d+);t=(\d+)', refused.headers["RateLimit"]
    )
    assert told
    assert (told[1], told[2]) == ("99", "0"), "the refused message was charged to the bot"
    assert 3500 < int(told[3]) <= 3600
    assert (await api.say(other, "Hello!")).status == 200
    assert len(text_reply.calls) == 2


async def test_a_plugins_limit_counts_its_heartbeats(
    api: Api, admin: Admin, plugin: ScriptedPlugin
) -> None:
    registered = await api.add_plugin(plugin.url)
    plugin_id = registered["plugin_id"]
    await set_limit(admin, "plugin", plugin_id, 1, 3600)
    headers = {"Authorization": f"Bearer {registered['token']}"}
    path, body = f"/api/v1/plugins/{plugin_id}/heartbeat", {"plugin_id": plugin_id}
    for status in (200, 429):
        answer = await api.send("POST", path, headers=headers, json={**body, "status": "active"})
        assert answer.status == status


async def test_a_limit_is_set_read_and_taken_back(
    api: Api, admin: Admin, pool: asyncpg.Pool
) -> None:
    path = f"/limits/bot/{api.bot_id}"
    default = {
        "subject": "bot",
        "subject_id": str(api.bot_id),
        "quota": DEFAULTS["bot"].quota,
        "window_seconds": DEFAULTS["bot"].window,
        "is_default": True,
    }
    assert (await admin("GET", path)).json == {**default, "updated_at": None}
    own = await set_limit(admin, "bot", api.bot_id, 5, 60)
    assert own == {
        **default,
        "quota": 5,
        "window_seconds": 60,
        "is_default": False,
        "updated_at": own["updated_at"],
    }
    assert (await admin("GET", path)).json == own
    assert (await ask(api)).headers["RateLimit-Policy"] == '"bot";q=5;w=60'
    reset = await admin("POST", f"{path}/reset")
    assert (reset.status, reset.json) == (200, {**default, "updated_at": reset.json["updated_at"]})
    policy = (await ask(api)).headers["RateLimit-Policy"]
    assert policy == f'"bot";q={DEFAULTS["bot"].quota};w={DEFAULTS["bot"].window}'
    rows = await pool.fetch("SELECT action, details FROM audit_logs WHERE source = 'user'")
    assert [row["action"] for row in rows] == ["limit_set", "limit_reset"]
    assert rows[0]["details"]["bot_id"] == str(api.bot_id)
    assert (rows[0]["details"]["quota"], rows[0]["details"]["window_seconds"]) == (5, 60)


async def test_a_change_holds_for_all_instances_at_once(
    api: Api, admin: Admin, pool: asyncpg.Pool, settings: Settings
) -> None:
    still = settings.model_copy(update={"limits_refresh_seconds": 60})
    async with running_api(pool, still, bot_name="another") as other:
        await ask(other)
        await set_limit(admin, "bot", other.bot_id, 7, 60)
        assert (await ask(other)).headers["RateLimit-Policy"] == '"bot";q=7;w=60'
        await admin("POST", f"/limits/bot/{other.bot_id}/reset")
        assert '"bot";q=7' not in (await ask(other)).headers["RateLimit-Policy"]


async def test_the_same_again_writes_nothing(api: Api, admin: Admin, pool: asyncpg.Pool) -> None:
    path = f"/limits/bot/{api.bot_id}"
    assert (await admin("POST", f"{path}/reset")).status == 200
    assert await pool.fetchval("SELECT count(*) FROM rate_limits") == 0
    first = await set_limit(admin, "bot", api.bot_id, 5, 60)
    assert await set_limit(admin, "bot", api.bot_id, 5, 60) == first
    assert [(await admin("POST", f"{path}/reset")).status for _ in range(2)] == [200, 200]
    actions = await pool.fetch("SELECT action FROM audit_logs WHERE source = 'user' ORDER BY id")
    assert [row["action"] for row in actions] == ["limit_set", "limit_reset"]


async def test_operators_at_once_leave_redis_with_what_the_table_says(
    api: Api, admin: Admin, pool: asyncpg.Pool, redis: Redis
) -> None:
    quotas = range(1, 21)
    await asyncio.gather(*(set_limit(admin, "bot", api.bot_id, quota, 60) for quota in quotas))
    quota, version = await pool.fetchrow("SELECT quota, version FROM rate_limits")
    client: Any = redis
    held = await client.hgetall(own_limit_key("bot", api.bot_id))
    assert (held["quota"], held["version"]) == (str(quota), str(version))
    versions = await pool.fetchval("SELECT count(*) FROM audit_logs WHERE action = 'limit_set'")
    assert versions == version == 20


async def test_a_flushed_redis_gets_the_limits_back(api: Api, admin: Admin, redis: Redis) -> None:
    await set_limit(admin, "bot", api.bot_id, 5, 3600)
    await redis.delete(own_limit_key("bot", api.bot_id), FILLED)
    answers = [await ask(api) for _ in range(6)]
    assert [answer.status for answer in answers] == [404] * 5 + [429]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"bot";q=5;w=3600'}


@pytest.mark.parametrize("how", ["cut", "stall"])
async def test_without_redis_the_limit_holds_and_can_be_changed(
    api: Api, admin: Admin, line: Line, how: str
) -> None:
    await set_limit(admin, "bot", api.bot_id, 3, 3600)
    getattr(line, how)()
    assert [(await ask(api)).status for _ in range(4)] == [404] * 3 + [429]
    await set_limit(admin, "bot", api.bot_id, 5, 3600)
    assert [(await ask(api)).status for _ in range(3)] == [404] * 2 + [429]
    line.mend()
    async with asyncio.timeout(PATIENT_SECONDS):
        # Until it is counted in Redis again, which was charged little meanwhile: what was on its
        # way when the line stalled. Alone the instance would permit the next in twelve minutes.
        while (await ask(api)).status == 429:  # noqa: ASYNC110  # no event tells of it
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("subject", ["bot", "user", "plugin"])
@pytest.mark.parametrize(("method", "action"), [("GET", ""), ("PUT", ""), ("POST", "/reset")])
async def test_who_is_unknown_has_no_limit(
    admin: Admin, subject: str, method: str, action: str
) -> None:
    body = {"quota": 1, "window_seconds": 1} if method == "PUT" else None
    answer = await admin(method, f"/limits/{subject}/{uuid4()}{action}", json=body)
    assert code(answer) == (404, "subject_not_found")


async def test_a_deleted_plugin_has_no_limit(admin: Admin, pool: asyncpg.Pool) -> None:
    plugin_id = await make_plugin(pool)
    await set_limit(admin, "plugin", plugin_id, 1, 1)
    await admin("DELETE", f"/plugins/{plugin_id}")
    answer = await admin("GET", f"/limits/plugin/{plugin_id}")
    assert code(answer) == (404, "subject_not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"quota": 0, "window_seconds": 1},
        {"quota": 1_000_001, "window_seconds": 1},
        {"quota": 1, "window_seconds": 0},
        {"quota": 1, "window_seconds": 86_401},
        {"quota": "1", "window_seconds": 1},
        {"quota": 1.5, "window_seconds": 1},
        {"quota": None, "window_seconds": 1},
        {"quota": 1},
        {"quota": 1, "window_seconds": 1, "burst": 5},
    ],
)
async def test_a_limit_that_makes_no_sense_is_refused(
    api: Api, admin: Admin, body: dict[str, object]
) -> None:
    answer = await admin("PUT", f"/limits/bot/{api.bot_id}", json=body)
    assert code(answer) == (422, "validation_failed")


@pytest.mark.parametrize("path", ["dialog/{id}", "bots/{id}", "bot/7", "bot/{id}x"])
async def test_a_subject_is_a_bot_a_user_or_a_plugin(admin: Admin, path: str) -> None:
    answer = await admin("GET", "/limits/" + path.format(id=UUID(int=1)))
    assert code(answer) == (422, "validation_failed")
