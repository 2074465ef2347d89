"""`botcore plugins` and `botcore limits`: the same that operators do over the API."""

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from redis.asyncio import Redis

from generated.limits import DEFAULTS
from impl.ratelimit.shared import own_limit_key
from tests.integration.cli.commands import Ended, botcore
from tests.integration.tokens.rows import make_bot, make_plugin
from tests.patience import PATIENT_SECONDS
from tests.stack import running_api, scripted_plugin, settings_for


class Machine:
    def __init__(self, database: str, directory: Path) -> None:
        self.database, self.directory = database, directory

    async def __call__(self, *arguments: str) -> Ended:
        env = {"BOTCORE_DATABASE_URL": self.database, "BOTCORE_DEVELOPMENT": "true"}
        return await botcore(*arguments, env=env, directory=self.directory)

    async def says(self, *arguments: str) -> str:
        ended = await self(*arguments)
        assert (ended.code, ended.err) == (0, "")
        return ended.out.strip()

    async def refuses(self, *arguments: str) -> str:
        ended = await self(*arguments)
        assert ended.code > 0
        assert (ended.out, ended.err.count("\n")) == ("", 1)
        return ended.err.removeprefix("botcore: ").strip()


@pytest.fixture
def machine(database: str, tmp_path: Path) -> Machine:
    return Machine(database, tmp_path)


async def audited(pool: asyncpg.Pool) -> list[tuple[str, str | None]]:
    rows = await pool.fetch("SELECT * FROM audit_logs WHERE source = 'system' ORDER BY id")
    assert not any("admin_key_id" in row["details"] for row in rows)
    return [(row["action"], row["details"].get("reason")) for row in rows]


async def test_a_plugins_life(machine: Machine, pool: asyncpg.Pool) -> None:
    async with scripted_plugin() as plugin:
        plugin_id = await make_plugin(pool)
        await pool.execute("UPDATE plugins SET base_url = $1, status = 'active'", plugin.url)
        name, version = await pool.fetchrow("SELECT name, version FROM plugins")
        which = f"{name}@{version}"
        said = await machine.says("plugins", "disable", which, "--reason", "It is faulty.")
        assert said.startswith(f"plugin {which} is disabled since ")
        assert said.endswith("instances notice within a second")
        [row] = json.loads(await machine.says("plugins", "list", "--status", "disabled", "--json"))
        assert (row["plugin_id"], row["status"]) == (str(plugin_id), "disabled")
        assert await machine.says("plugins", "enable", which) == f"plugin {which} is active"
        assert which.partition("@")[0] in await machine.says("plugins", "list")
        plugin.healthy = False
        await machine.says("plugins", "disable", str(plugin_id), "--reason", "Once more.")
        assert await machine.says("plugins", "enable", which) == (
            f"plugin {which} is registering; its /health gave no good answer"
        )
    said = await machine.says("plugins", "delete", which, "--reason", "Nobody uses it.")
    assert said == f"plugin {which} deleted, 0 of its tokens revoked"
    assert json.loads(await machine.says("plugins", "list", "--json")) == []
    assert await audited(pool) == [
        ("plugin_disabled", "It is faulty."),
        ("plugin_enabled", None),
        ("plugin_disabled", "Once more."),
        ("plugin_enabled", None),
        ("plugin_deleted", "Nobody uses it."),
    ]
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 3, "each is published"


async def test_deleting_a_plugin_revokes_its_tokens(machine: Machine, pool: asyncpg.Pool) -> None:
    plugin_id = str(await make_plugin(pool, "plugins:read"))
    await machine("plugins", "issue", plugin_id)
    said = await machine.says("plugins", "delete", plugin_id)
    assert said.endswith("1 of its tokens revoked")


@pytest.mark.parametrize("command", ["enable", "disable", "delete"])
async def test_what_is_not_there_or_not_right_is_one_line(machine: Machine, command: str) -> None:
    reason = ["--reason", "Because."]
    assert await machine.refuses("plugins", command, "echo@9.9.9", *reason) == (
        "there is no plugin echo@9.9.9; `botcore plugins list` shows them"
    )
    said = await machine.refuses("plugins", command, "echo@9.9.9", "--reason", "")
    assert said == "--reason: String should have at least 1 character"


async def test_an_unknown_status_is_refused(machine: Machine) -> None:
    said = await machine.refuses("plugins", "list", "--status", "asleep")
    assert said.startswith("--status: Input should be 'registering', 'active'")


async def test_a_limit_is_set_shown_and_taken_back(machine: Machine, pool: asyncpg.Pool) -> None:
    bot_id = await make_bot(pool)
    name = await pool.fetchval("SELECT name FROM bots")
    default = DEFAULTS["bot"]
    contracts = f"bot {bot_id}: {default.quota} requests in {default.window} s, the contract's"
    assert await machine.says("limits", "show", "bot", name) == contracts
    said = await machine.says("limits", "set", "bot", name, "--quota", "5", "--window", "1h")
    assert said == f"bot {bot_id}: 5 requests in 3600 s, its own"
    [row] = json.loads(await machine.says("limits", "list", "--json"))
    assert {**row, "updated_at": None} == {
        "subject": "bot",
        "subject_id": str(bot_id),
        "quota": 5,
        "window_seconds": 3600,
        "updated_at": None,
    }
    assert await machine.says("limits", "reset", "bot", str(bot_id)) == contracts
    assert json.loads(await machine.says("limits", "list", "--json")) == []
    assert [action for action, _ in await audited(pool)] == ["limit_set", "limit_reset"]


async def test_running_instances_notice_a_command(
    machine: Machine, pool: asyncpg.Pool, database: str, valkey: str
) -> None:
    async with (
        running_api(pool, settings_for(database, valkey)) as api,
        Redis.from_url(valkey, decode_responses=True) as redis,
    ):
        await machine.says(
            "limits", "set", "bot", str(api.bot_id), "--quota", "1", "--window", "1h"
        )
        async with asyncio.timeout(PATIENT_SECONDS):
            while not await redis.exists(own_limit_key("bot", api.bot_id)):  # noqa: ASYNC110  # no event tells of it
                await asyncio.sleep(0.02)
        statuses = [(await api.bot("GET", f"/api/v1/dialogs/{uuid4()}")).status for _ in range(2)]
        assert statuses == [404, 429]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "dialog", "x"), "SUBJECT: Input should be 'bot', 'user' or 'plugin'"),
        (("show", "bot", "nobody"), "there is no bot nobody"),
        (("show", "plugin", "echo@1.0.0"), "there is no plugin echo@1.0.0"),
        (("show", "user", "ada"), "name a user by the id that its registration returned"),
        (("show", "user", str(uuid4())), "No such bot, user or plugin exists."),
        (
            ("set", "bot", "b", "--quota", "0", "--window", "1"),
            "--quota: Input should be greater than or equal to 1",
        ),
        (
            ("set", "bot", "b", "--quota", "1", "--window", "2d"),
            "--window: Input should be less than or equal to 86400",
        ),
        (
            ("set", "bot", "b", "--quota", "1", "--window", "soon"),
            "--window: give a number of seconds, or one with s, m, h or d, such as 90d",
        ),
    ],
)
async def test_a_limit_that_makes_no_sense_is_one_line(
    machine: Machine, arguments: tuple[str, ...], said: str
) -> None:
    assert await machine.refuses("limits", *arguments) == said
