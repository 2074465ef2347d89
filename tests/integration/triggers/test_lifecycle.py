"""TR-004: a plugin that failed critically is taken out, once, and only an operator lets it back."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from aiohttp import web

from impl.settings import Settings
from impl.triggers.lifecycle import take_out
from tests.integration.api.test_plugin_failures import status
from tests.integration.notifications.conftest import Operator, Worker, a_worker
from tests.integration.notifications.receiver import Receiver
from tests.scrape import read
from tests.stack import Answer, Api, ScriptedPlugin, manifest, running_api, settings_for

TRACE = "7f1d2c3e-5b6a-4c8d-9e0f-112233445566"
OF_TYPE = "SELECT severity, source, payload FROM plugin_events WHERE event_type = $1"


@dataclass
class Registered:
    api: Api
    plugin_id: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def report(self, to: str | None = None, **changed: Any) -> Answer:
        event = {
            "event_id": str(uuid4()),
            "plugin_id": to or self.plugin_id,
            "event_type": "plugin_failed",
            "severity": "critical",
            "payload": {"leaked": "keys"},
            "occurred_at": datetime.now(UTC).isoformat(),
        } | changed
        path = f"/api/v1/plugins/{to or self.plugin_id}/events"
        return await self.api.send("POST", path, json=event, headers=self.headers)

    async def beat(self) -> Answer:
        path = f"/api/v1/plugins/{self.plugin_id}/heartbeat"
        body = {"plugin_id": self.plugin_id, "status": "active"}
        return await self.api.send("POST", path, json=body, headers=self.headers)


async def register(api: Api, url: str, name: str = "text_reply") -> Registered:
    described = manifest(name) | {"metadata": {"owner": "weather team"}}
    described["auth"] = {"type": "bearer", "scopes": ["telemetry:write"]}
    answer = await api.register({
        "name": name, "version": "1.0.0", "base_url": url, "manifest": described,
        "scopes": ["telemetry:write"],
    })  # fmt: skip
    assert answer.status in {200, 201}, answer.raw
    return Registered(api, answer.json["plugin_id"], answer.json["token"])


@pytest_asyncio.fixture
async def weather(api: Api, plugin: ScriptedPlugin) -> Registered:
    return await register(api, plugin.url)


async def current(pool: asyncpg.Pool, plugin_id: str) -> str:
    found: str = await pool.fetchval("SELECT status FROM plugins WHERE id = $1", plugin_id)
    return found


async def audited(pool: asyncpg.Pool) -> list[dict[str, Any]]:
    rows = await pool.fetch("SELECT details FROM audit_logs WHERE action = 'plugin_taken_out'")
    return [row["details"] for row in rows]


async def test_a_critical_report_disables_revokes_and_notifies(  # noqa: PLR0917  # fixtures
    weather: Registered, operator: Operator, hook: Receiver, worker: Worker,
    pool: asyncpg.Pool, plugin: ScriptedPlugin,
) -> None:  # fmt: skip
    await operator.subscribe(hook, owner="weather team", min_severity="critical")
    assert (await weather.report()).json["status"] == "accepted"
    assert await current(pool, weather.plugin_id) == "disabled"
    assert (await weather.beat()).status == 401, "its token still works"
    assert (await weather.report()).status == 401
    (event,) = await pool.fetch(OF_TYPE, "plugin_disabled")
    assert (event["severity"], event["payload"]["owner"]) == ("critical", "weather team")
    assert event["payload"]["reason"].startswith("TR-004: it reported ")
    (details,) = await audited(pool)
    assert (details["trigger"], details["revoked_tokens"]) == ("TR-004", 1)
    while await worker.once():
        pass
    assert hook.types == {"plugin_failed": 1, "plugin_disabled": 1}
    assert "keys" not in str(hook.got)
    scraped = read((await weather.api.send("GET", "/metrics")).raw)
    assert scraped.value("botcore_triggers_fired_total", trigger="TR-004") == 1
    # Its calls go nowhere, at once.
    user = await weather.api.user()
    answer = await weather.api.say(user, "Hello!")
    assert (answer.json["error"]["code"], plugin.calls) == ("no_plugin_available", [])


async def test_only_an_operator_enables_it_again(
    weather: Registered, operator: Operator, api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    await weather.report()
    again = await register(api, plugin.url)
    assert again.plugin_id == weather.plugin_id
    assert (await again.beat()).json == {"status": "disabled"}, "a new token, and no more"
    assert await current(pool, weather.plugin_id) == "disabled"
    enabled = await operator.send("POST", f"/admin/plugins/{weather.plugin_id}/enable")
    assert enabled.json["status"] == "active"
    assert (await again.beat()).json == {"status": "active"}


@pytest.mark.parametrize(
    "changed",
    [{"severity": "warning"}, {"event_type": "plugin_custom_worse"}],
    ids=["less severe", "another type"],
)
async def test_what_is_less_changes_nothing(
    changed: dict[str, str], weather: Registered, pool: asyncpg.Pool
) -> None:
    assert (await weather.report(**changed)).status == 200
    assert await current(pool, weather.plugin_id) == "active"
    assert (await weather.beat()).status == 200


async def test_a_plugin_disables_no_other(
    weather: Registered, api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    other = await register(api, plugin.url, "other")
    assert (await weather.report(to=other.plugin_id)).status == 404
    body = await weather.report(plugin_id=other.plugin_id)
    assert body.status == 422
    assert [await current(pool, one.plugin_id) for one in (weather, other)] == ["active"] * 2
    assert not await audited(pool)


async def test_many_at_once_are_told_once(
    weather: Registered, pool: asyncpg.Pool, settings: Settings
) -> None:
    async with running_api(pool, settings, bot_name="second") as second:
        elsewhere = Registered(second, weather.plugin_id, weather.token)
        answers = await asyncio.gather(*(
            each.report() for each in (weather, elsewhere) for _ in range(10)
        ))  # fmt: skip
    assert {answer.status for answer in answers} <= {200, 401}
    assert len(await pool.fetch(OF_TYPE, "plugin_disabled")) == 1
    (details,) = await audited(pool)
    assert details["revoked_tokens"] == 1


async def test_one_that_an_operator_disabled_loses_its_token_too(
    weather: Registered, operator: Operator, pool: asyncpg.Pool
) -> None:
    path = f"/admin/plugins/{weather.plugin_id}/disable"
    await operator.send("POST", path, json={"reason": "Enough."})
    assert (await weather.report()).status == 200
    assert (await weather.beat()).status == 401
    assert len(await pool.fetch(OF_TYPE, "plugin_disabled")) == 1
    assert len(await audited(pool)) == 1


async def test_all_or_nothing(weather: Registered, pool: asyncpg.Pool) -> None:
    plugin_id = UUID(weather.plugin_id)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        assert (await take_out(connection, plugin_id, "a test", TRACE)).disabled
        await transaction.rollback()
    assert await current(pool, weather.plugin_id) == "active"
    assert (await weather.beat()).status == 200


class TestFailuresInARow:
    @pytest.fixture
    def settings(self, database: str, valkey: str) -> Settings:
        return settings_for(
            database, valkey, plugin_critical_failures=4, breaker_calls=10_000, watch_seconds=0.02
        )

    async def ask(self, one: Registered, times: int) -> None:
        user = await one.api.user()
        for _ in range(times):
            assert (await one.api.say(user, "Hello!")).status == 200

    async def test_so_many_are_critical_whoever_counts(
        self, weather: Registered, plugin: ScriptedPlugin, pool: asyncpg.Pool, settings: Settings
    ) -> None:
        plugin.reply = status(500)
        async with a_worker(settings) as one, a_worker(settings) as other:
            await self.ask(weather, 2)
            await one.collector.collect()
            await self.ask(weather, 1)
            await asyncio.gather(one.collector.collect(), other.collector.collect())
            assert await current(pool, weather.plugin_id) == "active"
            await self.ask(weather, 1)
            for _ in range(2):
                await asyncio.gather(one.collector.collect(), other.collector.collect())
            fired = [
                each.metrics.registry.get_sample_value(
                    "botcore_triggers_fired_total", {"trigger": "TR-004"}
                ) or 0
                for each in (one, other)
            ]  # fmt: skip
        assert sum(fired) == 1
        assert await current(pool, weather.plugin_id) == "disabled"
        failed = await pool.fetch(OF_TYPE, "plugin_failed")
        assert sorted(event["severity"] for event in failed) == ["critical"] + ["warning"] * 4
        (disabled,) = await pool.fetch(OF_TYPE, "plugin_disabled")
        assert disabled["payload"]["reason"] == "TR-004: 4 calls in a row failed"
        assert await pool.fetchval("SELECT count(*) FROM plugin_failures") == 0

    async def test_a_success_begins_anew(
        self, weather: Registered, plugin: ScriptedPlugin, pool: asyncpg.Pool, worker: Worker
    ) -> None:
        good = plugin.reply
        for together in (True, False):
            for _ in range(3):
                plugin.reply = status(500)
                await self.ask(weather, 3)
                if not together:
                    await worker.collector.collect()
                plugin.reply = good
                await self.ask(weather, 1)
                if not together:
                    await worker.collector.collect()
            await worker.collector.collect()
        for _ in range(3):  # a success and what failed since are seen at once
            plugin.reply = good
            await self.ask(weather, 1)
            plugin.reply = status(500)
            await self.ask(weather, 3)
            await worker.collector.collect()
        assert await current(pool, weather.plugin_id) == "active"

    async def test_being_away_or_late_does_not_count(
        self, weather: Registered, plugin: ScriptedPlugin, pool: asyncpg.Pool, worker: Worker
    ) -> None:
        async def break_off(_body: dict[str, Any], request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.close()
            return web.Response()

        plugin.reply = break_off
        await self.ask(weather, 5)
        plugin.reply = status(503)
        await self.ask(weather, 5)
        await worker.collector.collect()
        assert await current(pool, weather.plugin_id) == "active"
        plugin.reply = status(500)
        await self.ask(weather, 4)
        await worker.collector.collect()
        assert await current(pool, weather.plugin_id) == "disabled"

    async def test_what_failed_before_its_own_report_is_forgotten_too(
        self, weather: Registered, plugin: ScriptedPlugin, pool: asyncpg.Pool, worker: Worker
    ) -> None:
        plugin.reply = status(500)
        await self.ask(weather, 3)
        await worker.collector.collect()
        assert await pool.fetchval("SELECT in_a_row FROM plugin_failures") == 3
        assert (await weather.report()).status == 200
        assert await pool.fetchval("SELECT count(*) FROM plugin_failures") == 0

    async def test_enabled_again_it_begins_anew(  # noqa: PLR0917  # fixtures
        self, weather: Registered, plugin: ScriptedPlugin, pool: asyncpg.Pool, worker: Worker,
        operator: Operator, settings: Settings,
    ) -> None:  # fmt: skip
        plugin.reply = status(500)
        await self.ask(weather, 4)
        await worker.collector.collect()
        await operator.send("POST", f"/admin/plugins/{weather.plugin_id}/enable")
        await self.ask(weather, 3)
        await worker.collector.collect()
        assert await current(pool, weather.plugin_id) == "active"
        await self.ask(weather, 1)
        await worker.collector.collect()
        assert await current(pool, weather.plugin_id) == "disabled"
