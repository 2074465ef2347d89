"""Plugins register, prove who they are, give signs of life, and are routed to."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from standardwebhooks import Webhook

from generated.metrics import make_metrics
from impl.plugins.caller import Failed, Invocation, PluginCaller
from impl.settings import Settings
from tests.patience import PATIENT_SECONDS
from tests.stack import Answer, Api, ScriptedPlugin, echo, manifest, regex_intent, scripted_plugin


def registration(url: str, described: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": described["name"],
        "version": described["version"],
        "base_url": url,
        "manifest": described,
    }


async def beat(
    api: Api,
    done: Any,
    plugin_id: str | None = None,
    status: str = "active",
    said: str | None = None,
) -> Answer:
    body = {"plugin_id": said or done["plugin_id"], "status": status, "latency_ms": 1.5}
    path = f"/api/v1/plugins/{plugin_id or done['plugin_id']}/heartbeat"
    headers = {"Authorization": f"Bearer {done['token']}"}
    return await api.send("POST", path, json=body, headers=headers)


async def test_a_new_plugin_is_probed_active_and_gets_its_secrets_once(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    answer = await api.register(registration(plugin.url, manifest("weather")))
    assert answer.status == 201, answer.raw
    assert answer.headers["Cache-Control"] == "no-store"
    row = await pool.fetchrow("SELECT * FROM plugins")
    assert (row["status"], str(row["id"])) == ("active", answer.json["plugin_id"])
    assert len(row["manifest_hash"]) == 64
    stored = await pool.fetch("SELECT hash FROM tokens WHERE kind = 'plugin'")
    assert [one["hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$") for one in stored] == [True]
    assert answer.json["token"] not in str([dict(one) for one in stored])


async def test_a_plugin_that_fails_its_probe_registers_until_its_first_heartbeat(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    plugin.healthy = False
    done = (await api.register(registration(plugin.url, manifest("weather")))).json
    assert await pool.fetchval("SELECT status FROM plugins") == "registering"
    answer = await beat(api, done)
    assert (answer.status, answer.json) == (200, {"status": "active"})
    row = await pool.fetchrow("SELECT status, last_heartbeat FROM plugins")
    assert row["status"] == "active"
    assert row["last_heartbeat"] is not None


async def test_the_same_again_rotates_the_token_and_the_old_one_lives_on(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    body = registration(plugin.url, manifest("weather"))
    first = await api.register(body)
    second = await api.register(body)
    assert (first.status, second.status) == (201, 200)
    assert second.json["plugin_id"] == first.json["plugin_id"]
    assert second.json["token"] != first.json["token"]
    for secret in ("invocation_token", "signing_secret"):
        assert second.json[secret] == first.json[secret]
    for done in (first.json, second.json):
        assert (await beat(api, done)).status == 200
    ends = await pool.fetch(
        "SELECT expires_at - now() < interval '11 minutes' AS soon"
        " FROM tokens WHERE kind = 'plugin' ORDER BY created_at"
    )
    assert [row["soon"] for row in ends] == [True, False]


async def test_calls_are_signed_by_the_secret_that_the_registration_told(
    api: Api, plugin: ScriptedPlugin
) -> None:
    verified: list[str] = []

    async def verify(body: dict[str, Any], request: web.Request) -> web.StreamResponse:
        Webhook(done["signing_secret"]).verify(await request.read(), dict(request.headers))
        verified.append(request.headers["webhook-id"])
        return await echo(body, request)

    done = await api.add_plugin(plugin.url)
    plugin.reply = verify
    answer = await api.say(await api.user(), "Hello!")
    assert (answer.status, answer.json["status"]) == (200, "accepted")
    assert verified == [plugin.calls[0]["invocation_id"]]
    assert done["signing_secret"] not in str(plugin.headers)


async def test_a_registry_key_alone_takes_over_nobody(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    first = await api.register(registration(plugin.url, manifest("weather")))
    other = registration(plugin.url, manifest("weather", "1.0.0", regex_intent("all", ".*")))
    refused = await api.register(other)
    assert (refused.status, refused.json["code"]) == (409, "plugin_conflict")
    assert await pool.fetchval("SELECT intents FROM plugins") == []
    stranger = await api.register(registration(plugin.url, manifest("stranger")))
    assert (await api.register(other, token=stranger.json["token"])).status == 409
    assert (await api.register(other, token="bc_plugin_no")).status == 401
    proved = await api.register(other, token=first.json["token"])
    assert (proved.status, proved.json["plugin_id"]) == (200, first.json["plugin_id"])


async def test_registration_says_what_a_schema_cannot(api: Api, plugin: ScriptedPlugin) -> None:
    described = manifest(
        "weather",
        "1.0.0",
        regex_intent("a", "((("),
        regex_intent("a", "ok"),
        regex_intent("b", "x"),
    )
    body = registration(plugin.url, described) | {"name": "other", "version": "2.0.0"}
    answer = await api.register(body)
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [
        ("/manifest/name", "mismatch"),
        ("/manifest/version", "mismatch"),
        ("/manifest/intents/0/activation_condition/value", "pattern_invalid"),
        ("/manifest/intents/1/tag", "duplicate"),
    ]


async def test_a_heartbeat_is_for_oneself(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    one = (await api.register(registration(plugin.url, manifest("one")))).json
    two = (await api.register(registration(plugin.url, manifest("two")))).json
    foreign = await beat(api, {**one, "plugin_id": two["plugin_id"]}, two["plugin_id"])
    assert (foreign.status, foreign.json["code"]) == (404, "plugin_not_found")
    other = await beat(api, one, two["plugin_id"])
    assert (other.status, other.json["code"]) == (404, "plugin_not_found")
    crossed = await beat(api, one, said=two["plugin_id"])
    assert (crossed.status, crossed.json["errors"][0]["pointer"]) == (422, "/plugin_id")
    assert await pool.fetchval("SELECT count(*) FROM plugins WHERE last_heartbeat IS NULL") == 2


async def test_what_the_core_disabled_no_heartbeat_and_no_registration_enables(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    body = registration(plugin.url, manifest("weather"))
    done = (await api.register(body)).json
    assert (await beat(api, done, status="disabled")).json == {"status": "disabled"}
    assert (await beat(api, done)).json == {"status": "active"}
    await pool.execute("UPDATE plugins SET status = 'disabled', disabled_at = now()")
    assert (await beat(api, done)).json == {"status": "disabled"}
    await api.register(body)
    assert await pool.fetchval("SELECT status FROM plugins") == "disabled"


async def test_a_heartbeat_is_an_event(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    done = (await api.register(registration(plugin.url, manifest("weather")))).json
    trace = (await beat(api, done)).headers["X-Trace-Id"]
    event = await pool.fetchrow("SELECT * FROM audit_logs WHERE action = 'plugin_heartbeat'")
    assert (str(event["trace_id"]), event["severity"]) == (trace, "info")
    assert await pool.fetchval("SELECT count(*) FROM outbox WHERE stream = 'plugin:events'") == 2


async def routed_to(api: Api, text: str) -> str:
    answer = await api.say(await api.user(), text)
    assert answer.json["status"] == "accepted", answer.raw
    return str(answer.json["plugin_responses"][0]["plugin_id"])


async def test_a_pattern_routes_and_priority_decides(api: Api, text_reply: ScriptedPlugin) -> None:
    low = await api.add_plugin(text_reply.url, "low", regex_intent("any", "weather", 1))
    high = await api.add_plugin(text_reply.url, "high", regex_intent("cmd", "^/weather", 9))
    assert await routed_to(api, "/weather Berlin") == high["plugin_id"]
    assert text_reply.calls[-1]["intent"] == "cmd"
    assert await routed_to(api, "the weather") == low["plugin_id"]
    assert await routed_to(api, "hello") not in (low["plugin_id"], high["plugin_id"])
    assert text_reply.calls[-1]["intent"] is None


async def test_of_several_versions_the_highest_active_one_answers(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    intent = regex_intent("any", "go")
    ten = await api.add_plugin(text_reply.url, "multi", intent, version="1.10.0")
    candidate = await api.add_plugin(text_reply.url, "multi", intent, version="1.10.0-rc.1")
    await api.add_plugin(text_reply.url, "multi", intent, version="1.9.0")
    assert await routed_to(api, "go") == ten["plugin_id"]
    await beat(api, ten, status="degraded")
    await api.add_plugin(text_reply.url, "unrelated")  # makes this instance look again at once
    assert await routed_to(api, "go") == candidate["plugin_id"]


async def test_a_change_elsewhere_reaches_this_instance(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    async with scripted_plugin() as second:
        done = await api.add_plugin(second.url, "second", regex_intent("any", "go"))
        assert await routed_to(api, "go") == done["plugin_id"]
        await pool.execute("UPDATE plugins SET status = 'disabled' WHERE name = 'second'")
        while await routed_to(api, "go") == done["plugin_id"]:
            pass


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "http://user:secret@127.0.0.1/",
        "http://127.0.0.1/?q=1",
        "http://127.0.0.1/#x",
        "//127.0.0.1/",
        "http://",
        "http://127.0.0.1:1 /",
        "file:///etc/passwd",
        "http://a..b",
        "http://" + "a" * 64,
        "http://" + "a" * 63 + "." + "b" * 64 + ".example",
        "http://a.-b",
        "http://a-:1",
        "http://x:0",
        "http://x:65536",
        "http://x:99999",
        "http://x:080",
    ],
)
async def test_a_base_url_of_another_form_is_refused(
    url: str, api: Api, pool: asyncpg.Pool
) -> None:
    answer = await api.register(registration(url, manifest("weather")))
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/base_url")
    assert await pool.fetchval("SELECT count(*) FROM plugins") == 0


@pytest.mark.parametrize("url", ["http://" + "a" * 63 + ".example:65535/a/b", "http://xn--a"])
async def test_a_base_url_that_nobody_can_call_never_is_our_error(url: str, api: Api) -> None:
    done = await api.register(registration(url, manifest("text_reply")))
    assert done.status == 201, done.raw
    assert (await beat(api, done.json)).json == {"status": "active"}
    await api.add_plugin("http://127.0.0.1:1", "unrelated")  # makes this instance look again
    answer = await api.say(await api.user(), "Hello!")
    assert (answer.status, answer.json["error"]["code"]) == (200, "plugin_unavailable")


@pytest.mark.parametrize("url", ["http://a..b", "http://" + "a" * 64, "http://x:99999"])
async def test_a_url_that_the_client_refuses_is_a_plugin_that_is_away(
    url: str, settings: Settings
) -> None:
    """Of a row that an older contract let in."""
    caller = PluginCaller(settings, make_metrics())
    try:
        assert await caller.healthy(url) is False
        outcome = await caller.invoke(Invocation(uuid4(), url, uuid4(), uuid4(), b"{}"), 1)
    finally:
        await caller.close()
    assert isinstance(outcome, Failed)
    assert outcome.code == "plugin_unavailable"


async def test_the_environments_proxy_is_not_asked(
    settings: Settings, plugin: ScriptedPlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    caller = PluginCaller(settings, make_metrics())
    try:
        assert await caller.healthy(plugin.url)
    finally:
        await caller.close()


HEALTH = {"status": "ok", "version": "1.0.0"}


@pytest.mark.parametrize(
    ("health", "how", "status"),
    [
        (HEALTH, {"status": 503}, "registering"),
        (HEALTH, {"status": 201}, "registering"),
        (HEALTH, {"content_type": "text/html"}, "registering"),
        (HEALTH | {"status": "degraded"}, {}, "registering"),
        (HEALTH | {"more": 1}, {}, "registering"),
        (HEALTH, {}, "active"),
    ],
)
async def test_only_the_health_of_the_contract_makes_active(
    health: dict[str, Any], how: dict[str, Any], status: str, api: Api, pool: asyncpg.Pool
) -> None:
    async def answer(_request: web.BaseRequest) -> web.Response:
        return web.json_response(health, **how)

    async with RawTestServer(answer) as server:
        await api.add_plugin(str(server.make_url("/")))
    assert await pool.fetchval("SELECT status FROM plugins") == status


async def test_of_two_registrations_at_once_the_second_sees_the_first(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    """The one with the old manifest waits, finds a new one, and lacks the token to undo it."""
    old = registration(plugin.url, manifest("weather"))
    first = (await api.register(old)).json
    new = registration(plugin.url, manifest("weather", "1.0.0", regex_intent("all", "x")))
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM plugins FOR NO KEY UPDATE")
        proved = asyncio.create_task(api.register(new, token=first["token"]))
        await waiting(pool, 1)
        alone = asyncio.create_task(api.register(old))
        await waiting(pool, 2)
    assert ((await proved).status, (await alone).status) == (200, 409)
    assert len(await pool.fetchval("SELECT intents FROM plugins")) == 1


async def waiting(pool: asyncpg.Pool, count: int) -> None:
    """Until so many statements of this database wait for a row."""
    blocked = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
    """
    async with asyncio.timeout(PATIENT_SECONDS):
        while await pool.fetchval(blocked) < count:  # noqa: ASYNC110  # the database's
            await asyncio.sleep(0.01)


async def test_a_registration_waits_for_no_message(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    body = registration(plugin.url, manifest("weather"))
    await api.register(body)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM plugins FOR KEY SHARE")  # as a call's foreign key
        assert (await asyncio.wait_for(api.register(body), PATIENT_SECONDS / 2)).status == 200


async def test_users_are_each_bots_own(api: Api, pool: asyncpg.Pool) -> None:
    body = {"telegram_id": 7, "display_name": "Ada", "locale": "ru", "metadata": {"source": "t"}}
    first = await api.bot("POST", "/api/v1/users", json=body)
    again = await api.bot("POST", "/api/v1/users", json=body | {"display_name": "Ada L."})
    assert (first.status, first.json["status"]) == (201, "created")
    assert (again.status, again.json["status"]) == (200, "updated")
    assert again.json["user_id"] == first.json["user_id"]
    row = await pool.fetchrow("SELECT display_name, locale, metadata FROM bot_users")
    assert tuple(row) == ("Ada L.", "ru", {"source": "t"})
    created = "SELECT count(*) FROM audit_logs WHERE action = 'user_created'"
    assert await pool.fetchval(created) == 1
    answer = await api.send("GET", f"/api/v1/dialogs/{uuid4()}")
    assert answer.headers["WWW-Authenticate"] == 'BotToken realm="botcore"'
