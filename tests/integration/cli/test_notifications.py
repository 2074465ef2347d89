"""`botcore notifications` and `botcore bots callback`: the same that operators do over the API."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from impl.settings import Settings
from tests.integration.cli.commands import Ended, botcore
from tests.integration.notifications.conftest import Worker, a_worker, publish
from tests.integration.notifications.receiver import Receiver, receiver
from tests.integration.tokens.rows import make_bot
from tests.stack import settings_for


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(database, valkey)


@pytest_asyncio.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as one:
        yield one


@pytest_asyncio.fixture
async def worker(settings: Settings) -> AsyncIterator[Worker]:
    async with a_worker(settings) as one:
        yield one


class Machine:
    def __init__(self, settings: Settings, directory: Path) -> None:
        self.directory = directory
        self.env = {
            "BOTCORE_DATABASE_URL": settings.database_url.get_secret_value(),
            "BOTCORE_SECRET_KEY": settings.secret_key.get_secret_value(),
            "BOTCORE_DEVELOPMENT": "true",
        }

    async def __call__(self, *arguments: str, **env: str) -> Ended:
        return await botcore(*arguments, env=self.env | env, directory=self.directory)

    async def says(self, *arguments: str) -> str:
        ended = await self(*arguments)
        assert ended.code == 0, ended.err
        return ended.out.strip()


@pytest.fixture
def machine(settings: Settings, tmp_path: Path) -> Machine:
    return Machine(settings, tmp_path)


async def test_a_subscriptions_life(
    machine: Machine, hook: Receiver, worker: Worker, pool: asyncpg.Pool
) -> None:
    hook.secret = await machine.says(
        "notifications", "create", hook.url, "--event", "scaling_alert"
    )
    await publish(pool)
    await worker.once()
    assert hook.types == {"scaling_alert": 1}, "the secret that was printed is another"
    (row,) = json.loads(await machine.says("notifications", "list", "--json"))
    assert (row["status"], row["url"], row["event_types"]) == (
        "active",
        hook.url,
        ["scaling_alert"],
    )
    which = row["id"]
    (sent,) = json.loads(await machine.says("notifications", "deliveries", which, "--json"))
    assert (sent["id"], sent["status"]) == (hook.ids[0], "delivered")
    await machine.says("notifications", "resend", which, sent["id"])
    await machine.says("notifications", "test", which)
    while await worker.once():
        pass
    assert hook.types == {"scaling_alert": 2, "notification_test": 1}
    hook.secret = await machine.says("notifications", "rotate-secret", which, "--overlap", "0")
    await publish(pool)
    await worker.once()
    assert (hook.types["scaling_alert"], hook.bad) == (3, 0)
    for command, status in (("disable", "disabled"), ("enable", "active")):
        assert (await machine.says("notifications", command, which)).endswith(f"is {status}")
    await machine.says("notifications", "delete", which)
    assert json.loads(await machine.says("notifications", "list", "--json")) == []
    actions = await pool.fetch("SELECT action FROM audit_logs WHERE source = 'system' ORDER BY id")
    assert [row["action"] for row in actions] == [
        "subscription_created",
        "notification_resent",
        "subscription_tested",
        "subscription_secret_rotated",
        "subscription_disabled",
        "subscription_enabled",
        "subscription_deleted",
    ]


async def test_a_bots_callback(machine: Machine, hook: Receiver, pool: asyncpg.Pool) -> None:
    await make_bot(pool)
    name = await pool.fetchval("SELECT name FROM bots")
    secret = await machine.says("bots", "callback", name, "--url", hook.url)
    assert secret.startswith("whsec_")
    assert await machine.says("bots", "callback", name, "--url", f"{hook.url}?2") == ""
    (bot,) = json.loads(await machine.says("bots", "list", "--json"))
    assert bot["callback_url"] == f"{hook.url}?2"
    await machine.says("bots", "revoke", name)
    assert json.loads(await machine.says("notifications", "list", "--json")) == []


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (["http://169.254.169.254/"], {}, "url: Not permitted: its address is forbidden"),
        (["ftp://hooks.example.com/"], {}, "the URL: String should match pattern"),
        (["http://127.0.0.1:1/"], {"BOTCORE_SECRET_KEY": ""}, "BOTCORE_SECRET_KEY is not set"),
        (["http://127.0.0.1:1/", "--severity", "bad"], {}, "Input should be 'info', 'warning'"),
    ],
    ids=["forbidden", "no URL", "no key", "no severity"],
)
async def test_what_is_refused_is_told_in_a_line(
    arguments: list[str], env: dict[str, str], said: str, machine: Machine, pool: asyncpg.Pool
) -> None:
    ended = await machine("notifications", "create", *arguments, **env)
    assert ended.code > 0
    assert (ended.out, ended.err.count("\n")) == ("", 1)
    assert said in ended.err or "Characters that cannot" in ended.err
    assert not await pool.fetchval("SELECT count(*) FROM notification_subscriptions")
