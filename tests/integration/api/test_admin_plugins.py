"""Plugins as an operator lists, enables, disables and deletes them."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from impl.settings import Settings
from impl.tokens.issue import issue
from tests.integration.api.conftest import Admin
from tests.patience import PATIENT_SECONDS
from tests.stack import Answer, Api, ScriptedPlugin, manifest, running_api

REASON = {"reason": "It answers with other people's weather."}


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["code"]


async def actions(pool: asyncpg.Pool, source: str = "user") -> list[str]:
    rows = await pool.fetch("SELECT action FROM audit_logs WHERE source = $1 ORDER BY id", source)
    return [row["action"] for row in rows]


async def beat(api: Api, plugin: dict[str, str], status: str = "active") -> Answer:
    return await api.send(
        "POST",
        f"/api/v1/plugins/{plugin['plugin_id']}/heartbeat",
        headers={"Authorization": f"Bearer {plugin['token']}"},
        json={"plugin_id": plugin["plugin_id"], "status": status},
    )


async def test_a_disabled_plugin_is_called_no_more(
    api: Api, admin: Admin, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    registered = await api.add_plugin(plugin.url)
    path = f"/plugins/{registered['plugin_id']}"
    user = await api.user()
    assert (await api.say(user, "Hello!")).json["status"] == "accepted"
    disabled = await admin("POST", f"{path}/disable", json=REASON)
    assert disabled.status == 200
    assert disabled.json["status"] == "disabled"
    assert disabled.json["disabled_at"] is not None
    assert (await api.say(user, "Hello?")).json["error"]["code"] == "no_plugin_available"
    assert len(plugin.calls) == 1
    assert (await beat(api, registered)).json == {"status": "disabled"}, "its token was revoked"
    audited = await pool.fetchrow("SELECT * FROM audit_logs WHERE source = 'user'")
    assert (audited["action"], audited["severity"]) == ("plugin_disabled", "warning")
    assert audited["details"]["reason"] == REASON["reason"]
    event = await pool.fetchrow("SELECT * FROM plugin_events WHERE event_type = 'plugin_disabled'")
    assert (event["source"], event["severity"]) == ("core", "warning")
    assert event["payload"] == {
        "plugin_id": registered["plugin_id"],
        "name": "text_reply",
        "version": "1.0.0",
        "reason": REASON["reason"],
        "deleted": False,
        "owner": None,
    }


async def test_the_instance_that_is_asked_routes_by_it_at_once(
    admin: Admin, plugin: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    still = settings.model_copy(update={"catalogue_refresh_seconds": 60})
    async with running_api(pool, still, bot_name="another") as api:
        key = (await issue(pool, "admin", scopes=["plugins:manage"])).plaintext
        registered, user = await api.add_plugin(plugin.url), await api.user()
        path = f"/api/v1/admin/plugins/{registered['plugin_id']}"
        for method, way, body, status in (
            ("POST", "/disable", REASON, "failed"),
            ("POST", "/enable", None, "accepted"),
            ("DELETE", "", None, "failed"),
        ):
            headers = {"X-Admin-Key": key}
            assert (await api.send(method, path + way, json=body, headers=headers)).status == 200
            assert (await api.say(user, "Hello!")).json["status"] == status, way


async def test_other_instances_route_around_it_within_a_second(
    api: Api, admin: Admin, plugin: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    registered = await api.add_plugin(plugin.url)
    async with (
        running_api(pool, settings, bot_name="another") as other,
        asyncio.timeout(PATIENT_SECONDS),
    ):
        user = await other.user(2)
        assert (await other.say(user, "Hello!")).json["status"] == "accepted"
        await admin("POST", f"/plugins/{registered['plugin_id']}/disable", json=REASON)
        while (await other.say(user, "Hello?")).json["status"] != "failed":  # noqa: ASYNC110  # no event tells of it
            await asyncio.sleep(0.02)


async def test_an_enabled_plugin_is_probed_and_called_at_once(
    api: Api, admin: Admin, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    registered = await api.add_plugin(plugin.url)
    path = f"/plugins/{registered['plugin_id']}"
    await admin("POST", f"{path}/disable", json=REASON)
    enabled = await admin("POST", f"{path}/enable", params={"reason": "Mended."})
    assert (enabled.status, enabled.json["status"]) == (200, "active")
    assert enabled.json["disabled_at"] is None
    assert (await api.say(await api.user(), "Hello!")).json["status"] == "accepted"
    assert await actions(pool) == ["plugin_disabled", "plugin_enabled"]


async def test_a_plugin_that_is_not_well_waits_for_its_heartbeat(
    api: Api, admin: Admin, plugin: ScriptedPlugin
) -> None:
    registered = await api.add_plugin(plugin.url)
    path = f"/plugins/{registered['plugin_id']}"
    await admin("POST", f"{path}/disable", json=REASON)
    plugin.healthy = False
    assert (await admin("POST", f"{path}/enable")).json["status"] == "registering"
    assert (await beat(api, registered)).json == {"status": "active"}


async def test_a_plugin_that_moved_while_it_was_probed_waits_for_its_heartbeat(
    api: Api, admin: Admin, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    registered = await api.add_plugin(plugin.url)
    path = f"/plugins/{registered['plugin_id']}"
    await admin("POST", f"{path}/disable", json=REASON)

    async def moves() -> None:
        await pool.execute("UPDATE plugins SET base_url = 'http://127.0.0.1:1'")

    plugin.when_probed = moves
    assert (await admin("POST", f"{path}/enable")).json["status"] == "registering"


async def test_one_that_disabled_itself_can_be_enabled(
    api: Api, admin: Admin, plugin: ScriptedPlugin
) -> None:
    registered = await api.add_plugin(plugin.url)
    await beat(api, registered, "disabled")
    path = f"/plugins/{registered['plugin_id']}"
    assert (await admin("POST", f"{path}/enable")).json["status"] == "active"


async def test_once_more_changes_and_writes_nothing(
    api: Api, admin: Admin, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    registered = await api.add_plugin(plugin.url)
    path = f"/plugins/{registered['plugin_id']}"
    for method, way, body in (
        ("POST", "/enable", None),
        ("POST", "/disable", REASON),
        ("POST", "/enable", None),
        ("DELETE", "", None),
    ):
        first = await admin(method, path + way, json=body)
        written = await pool.fetchval("SELECT count(*) FROM audit_logs")
        again = await admin(method, path + way, json=body)
        assert (first.status, again.status) == (200, 200)
        assert again.json == first.json
        assert await pool.fetchval("SELECT count(*) FROM audit_logs") == written
    assert await actions(pool) == ["plugin_disabled", "plugin_enabled", "plugin_deleted"]


async def test_of_two_operators_at_once_one_does_it(
    api: Api, admin: Admin, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    registered = await api.add_plugin(plugin.url)
    path = f"/plugins/{registered['plugin_id']}"
    for method, way, body in (
        ("POST", "/disable", REASON),
        ("POST", "/enable", None),
        ("DELETE", "", None),
    ):
        answers = await asyncio.gather(*(admin(method, path + way, json=body) for _ in range(8)))
        assert {answer.status for answer in answers} == {200}
        assert len({answer.raw for answer in answers}) == 1
    assert await actions(pool) == ["plugin_disabled", "plugin_enabled", "plugin_deleted"]
    by_core = [one for one in await actions(pool, "core") if one != "plugin_status_changed"]
    assert by_core == ["plugin_registered", *["plugin_disabled"] * 2]
    changes = await pool.fetch(
        "SELECT details FROM audit_logs WHERE action = 'plugin_status_changed' ORDER BY id"
    )
    assert [
        (row["details"]["from"], row["details"]["to"], row["details"]["reason"]) for row in changes
    ] == [
        ("active", "disabled", "disabled"),
        ("disabled", "active", "enabled"),
        ("active", "disabled", "deleted"),
    ]


async def test_disable_and_enable_at_once_end_in_one_of_both(
    api: Api, admin: Admin, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    registered = await api.add_plugin(plugin.url)
    path = f"/plugins/{registered['plugin_id']}"
    await admin("POST", f"{path}/disable", json=REASON)
    for _ in range(5):
        answers = await asyncio.gather(
            admin("POST", f"{path}/enable"), admin("POST", f"{path}/disable", json=REASON)
        )
        assert {answer.status for answer in answers} == {200}
        row = await pool.fetchrow("SELECT status, disabled_at FROM plugins")
        assert (row["status"] == "disabled") == (row["disabled_at"] is not None)


async def test_a_deleted_plugin_is_gone(
    api: Api, admin: Admin, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    registered = await api.add_plugin(plugin.url)
    path = f"/plugins/{registered['plugin_id']}"
    user = await api.user()
    await api.say(user, "Hello!")
    assert (await beat(api, registered)).status == 200
    deleted = await admin("DELETE", path, params={"reason": "Nobody uses it."})
    assert deleted.status == 200
    assert deleted.json["status"] == "disabled"
    assert deleted.json["deleted_at"] is not None
    assert (await admin("GET", "/plugins")).json["items"] == []
    assert code(await beat(api, registered)) == (401, "invalid_credentials")
    assert (await api.say(user, "Hello?")).json["error"]["code"] == "no_plugin_available"
    assert code(await admin("POST", f"{path}/enable")) == (404, "plugin_not_found")
    assert code(await admin("POST", f"{path}/disable", json=REASON)) == (404, "plugin_not_found")
    assert await pool.fetchval("SELECT count(*) FROM plugin_calls") == 1, "its calls stay"
    assert await pool.fetchval("SELECT count(*) FROM plugin_events") > 3, "its events stay"
    assert await pool.fetchval("SELECT count(*) FROM tokens WHERE plugin_id IS NOT NULL") == (
        await pool.fetchval("SELECT count(*) FROM tokens WHERE revoked_at IS NOT NULL")
    )


async def test_a_deleted_version_cannot_be_registered_again(
    api: Api, admin: Admin, plugin: ScriptedPlugin
) -> None:
    registered = await api.add_plugin(plugin.url)
    await admin("DELETE", f"/plugins/{registered['plugin_id']}")
    body = {"name": "text_reply", "version": "1.0.0", "base_url": plugin.url}
    again = await api.register({**body, "manifest": manifest("text_reply")})
    assert code(again) == (409, "plugin_conflict")
    assert again.json["detail"] == "text_reply 1.0.0 was deleted; register another version."
    await api.add_plugin(plugin.url, version="1.0.1")


async def test_elsewhere_a_deleted_plugins_heartbeat_is_refused_at_once(
    api: Api, admin: Admin, plugin: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
) -> None:
    """Its token ends there as soon as it is told; but the heartbeat asks the database anyhow."""
    registered = await api.add_plugin(plugin.url)
    async with running_api(pool, settings, bot_name="another") as other:
        assert (await beat(other, registered)).status == 200
        await admin("DELETE", f"/plugins/{registered['plugin_id']}")
        assert code(await beat(other, registered)) in {
            (404, "plugin_not_found"),
            (401, "invalid_credentials"),
        }


async def test_a_token_that_was_issued_meanwhile_is_not_good_either(
    api: Api, admin: Admin, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    registered = await api.add_plugin(plugin.url)
    await admin("DELETE", f"/plugins/{registered['plugin_id']}")
    await pool.execute("UPDATE tokens SET revoked_at = NULL")
    assert code(await beat(api, registered)) == (401, "invalid_credentials")


async def test_all_plugins_are_listed_in_pages(api: Api, admin: Admin) -> None:
    names = [f"plugin_{number}" for number in range(5)]
    for name in names:
        await api.add_plugin("http://127.0.0.1:1", name)  # not there: it stays `registering`
    seen, cursor = [], None
    while True:
        page = await admin("GET", "/plugins", params={"limit": 2, **(cursor or {})})
        seen += [item["name"] for item in page.json["items"]]
        if page.json["next_cursor"] is None:
            break
        cursor = {"cursor": page.json["next_cursor"]}
    assert seen == names[::-1]
    assert {item["status"] for item in page.json["items"]} == {"registering"}


async def test_plugins_are_listed_by_status(api: Api, admin: Admin, plugin: ScriptedPlugin) -> None:
    await api.add_plugin(plugin.url, "well")
    ill = await api.add_plugin(plugin.url, "ill")
    await api.add_plugin("http://127.0.0.1:1", "away")
    await admin("POST", f"/plugins/{ill['plugin_id']}/disable", json=REASON)
    found = {
        status: [
            item["name"]
            for item in (await admin("GET", "/plugins", params={"status": status})).json["items"]
        ]
        for status in ("active", "registering", "degraded", "disabled")
    }
    assert found == {
        "active": ["well"],
        "registering": ["away"],
        "degraded": [],
        "disabled": ["ill"],
    }


async def test_a_cursor_is_of_its_list_and_filter(api: Api, admin: Admin) -> None:
    for name in ("one", "two"):
        await api.add_plugin("http://127.0.0.1:1", name)
    page = await admin("GET", "/plugins", params={"limit": 1, "status": "registering"})
    for wrong in (
        {"cursor": page.json["next_cursor"]},
        {"cursor": page.json["next_cursor"], "status": "active"},
        {"cursor": "AAAA", "status": "registering"},
    ):
        refused = await admin("GET", "/plugins", params=wrong)
        assert code(refused) == (422, "validation_failed")
        assert refused.json["errors"][0]["code"] == "cursor_invalid"


@pytest.mark.parametrize("method_and_way", ["POST /enable", "POST /disable", "DELETE "])
async def test_an_unknown_plugin_is_404(admin: Admin, method_and_way: str) -> None:
    method, way = method_and_way.split(" ")
    body = REASON if way == "/disable" else None
    answer = await admin(method, f"/plugins/{uuid4()}{way}", json=body)
    assert code(answer) == (404, "plugin_not_found")


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": "two\nlines"}, {"reason": "x" * 257}, {"reason": None}]
)
async def test_a_reason_is_demanded(
    api: Api, admin: Admin, pool: asyncpg.Pool, body: dict[str, object]
) -> None:
    answer = await admin("POST", f"/plugins/{UUID(int=1)}/disable", json=body)
    assert code(answer) == (422, "validation_failed")
