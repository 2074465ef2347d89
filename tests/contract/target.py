"""What schemathesis aims at: two APIs on databases of their own, two bots, two plugins."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from impl.app import create_app
from impl.tokens.issue import issue
from tests.contract.known import Known
from tests.contract.reached import Reached
from tests.servers import create_database
from tests.stack import BOT_SCOPES, Api, running_api, scripted_plugin, serving, settings_for

ADA, BOB = "ada", "bob"
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Target:
    """A running system: what it is, and as whom to call it."""

    known: Known
    headers: dict[str, dict[str, str]]  # of each bot
    reached: Reached

    @property
    def other_bot_asked(self) -> bool:
        """Whether object_level_authorization read a dialog as the bot that did not make it."""
        return ("getDialog", 404, BOB) in self.reached.answers

    def auth_document(self) -> dict[str, Any]:
        """As the Web Fuzzing Commons write it, which is what `auth.wfc` reads."""
        return {
            "auth": [
                {
                    "name": name,
                    "fixedHeaders": [{"name": key, "value": value} for key, value in held.items()],
                }
                for name, held in self.headers.items()
            ]
        }

    def write(self, directory: Path) -> dict[str, str]:
        """Puts down what schemathesis.toml and the hooks read, and returns the variables."""
        auth, known = directory / "auth.json", directory / "known.json"
        auth.write_text(json.dumps(self.auth_document()))
        known.write_text(json.dumps(asdict(self.known)))
        return {"FUZZ_AUTH": str(auth), "FUZZ_KNOWN": str(known)}


@asynccontextmanager
async def fuzz_target(postgres: str, valkey: str, template: str) -> AsyncIterator[Target]:
    """Registration has an API and a database of its own: a fuzzed plugin would take messages away.

    Heartbeats go to a plugin that answers nobody, since a fuzzed one says `disabled`.
    """
    number = next(_numbers)
    main, aside = f"fuzz_{number}", f"fuzz_{number}_registry"
    database = await create_database(postgres, main, template=template)
    async with scripted_plugin() as plugin:
        known, headers = await _furnish(database, valkey, plugin.url)
        # A copy of all that, so that the same credentials are good there.
        registry = await create_database(postgres, aside, template=main)
        reached = Reached({held["X-Bot-Token"].encode(): name for name, held in headers.items()})
        apps = [create_app(settings_for(each, valkey)) for each in (database, registry)]
        for app in apps:
            app.add_middleware(reached.wrap)
        async with (
            serving(apps[0]) as url,
            serving(apps[1]) as registry_url,
        ):
            yield Target(Known(url=url, registry_url=registry_url, **known), headers, reached)


async def _furnish(
    database: str, valkey: str, plugin_url: str
) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    async with (
        asyncpg.create_pool(database, min_size=0, max_size=2) as pool,
        running_api(pool, settings_for(database, valkey), bot_name=ADA) as api,
    ):
        await api.add_plugin(plugin_url)
        pulse = await api.add_plugin(plugin_url, "pulse")
        bot = await pool.fetchval("INSERT INTO bots (name) VALUES ($1) RETURNING id", BOB)
        other = await issue(pool, "bot", subject_id=bot, scopes=BOT_SCOPES, expires_in=None)
        users = [await api.user(telegram_id) for telegram_id in (1001, 1002, 1003)]
        dialogs = {str(uuid4()): user for user in users[:2]}
        known = {
            "plugin_url": plugin_url,
            "plugin_id": pulse["plugin_id"],
            "users": users,
            "dialogs": dialogs,
            "cursors": {dialog: await _page(api, dialog, user) for dialog, user in dialogs.items()},
        }
        shared = {
            "X-Registry-Key": api.registry_key,
            "Authorization": f"Bearer {pulse['token']}",
        }
        return known, {
            ADA: {"X-Bot-Token": api.bot_token, **shared},
            BOB: {"X-Bot-Token": other.plaintext, **shared},
        }


async def _page(api: Api, dialog: str, user: str) -> str:
    """The cursor of the dialog's second page."""
    for text in ("one", "two"):
        answer = await api.say(user, text, dialog)
        assert answer.json["status"] == "accepted", answer.raw
    page = await api.bot("GET", f"/api/v1/dialogs/{dialog}", params={"limit": "1"})
    return str(page.json["next_cursor"])
