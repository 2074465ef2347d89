"""`botcore explain`, against an API, as an operator types it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest_asyncio

from tests.integration.api.routed import Routed, routed_api
from tests.integration.cli.commands import Ended, botcore
from tests.stack import scripted_plugin, settings_for


class Machine:
    def __init__(self, routed: Routed, database: str, directory: Path) -> None:
        self.routed = routed
        self.directory = directory
        self.env = {
            "BOTCORE_URL": routed.api.url,
            "BOTCORE_ADMIN_KEY": routed.key,
            "BOTCORE_DATABASE_URL": database,
        }

    async def __call__(self, *arguments: str, **env: str) -> Ended:
        given = {**self.env, **env}
        return await botcore("explain", *arguments, env=given, directory=self.directory)

    async def refuses(self, *arguments: str, **env: str) -> tuple[int, str]:
        ended = await self(*arguments, **env)
        assert (ended.out, ended.err.count("\n")) == ("", 1), ended.err
        return ended.code, ended.err.removeprefix("botcore: ").strip()


@pytest_asyncio.fixture
async def machine(
    pool: asyncpg.Pool, database: str, valkey: str, tmp_path: Path
) -> AsyncIterator[Machine]:
    async with (
        scripted_plugin() as plugin,
        routed_api(pool, settings_for(database, valkey), plugin) as routed,
    ):
        await routed.fill()
        yield Machine(routed, database, tmp_path)


async def test_it_says_who_would_answer_and_shows_the_candidates(machine: Machine) -> None:
    machine.routed.classifier.script = {"will it rain": [("weather", 0.7)]}
    ended = await machine("will it rain")
    assert (ended.code, ended.err) == (0, "")
    sentence, head, first, second, classifier, last = ended.out.splitlines()
    assert sentence == (
        "The classifier takes it for weather of weather 1.0.0 with 0.70, threshold 0.60."
    )
    assert head.split()[:4] == ["STAGE", "PLUGIN", "VERSION", "INTENT"]
    assert first.split()[:5] == ["classifier", "weather", "1.0.0", "weather", "0.7"]
    assert second.split()[-1] == "False"
    assert classifier == "classifier: scripted 1"
    assert last.endswith("stage classifier")


async def test_what_is_known_of_the_message_may_be_given(machine: Machine) -> None:
    given = ("x", "--metadata", "vip=true", "--locale", "ru", "--json")
    assert json.loads((await machine(*given)).out)["intent"] == "vip"
    as_text = ("x", "--metadata", "vip=yes", "--json")
    assert json.loads((await machine(*as_text)).out)["stage"] == "fallback"
    command = json.loads((await machine("/weather", "--type", "command", "--json")).out)
    assert command["stage"] == "command"


async def test_a_message_that_was_sent_tells_its_own_decision(machine: Machine) -> None:
    dialog, user = uuid4(), await machine.routed.api.user()
    stored = await machine.routed.say(user, "my order 7", dialog, message_id="m-1")
    ended = await machine("--dialog", str(dialog), "--message", "m-1", "--json")
    assert json.loads(ended.out) == stored
    code, said = await machine.refuses("--dialog", str(dialog), "--message", "m-2")
    assert (code, said) == (1, "no call of this message is stored")


async def test_what_is_wrong_is_told_in_one_line(machine: Machine) -> None:
    assert await machine.refuses() == (2, "give a text, or --dialog and --message")
    assert await machine.refuses("--message", "m-1") == (
        2, "--message needs the id of its dialog: --dialog"
    )  # fmt: skip
    assert (await machine.refuses("x", "--metadata", "vip"))[1] == "--metadata: give NAME=VALUE"
    code, said = await machine.refuses("x", "--dialog", "seven")
    assert (code, said.partition(":")[0]) == (1, "/dialog_id")
    code, said = await machine.refuses("x", BOTCORE_ADMIN_KEY="bc_admin_none")
    assert (code, "bc_admin_none" in said) == (1, False)
    code, said = await machine.refuses("x", BOTCORE_URL="http://127.0.0.1:1")
    assert (code, said.startswith("no answer at http://127.0.0.1:1")) == (1, True)
    code, said = await machine.refuses("x", BOTCORE_URL="")
    assert (code, said.startswith("BOTCORE_URL not set, nor in .botcore/dev.env")) == (2, True)
