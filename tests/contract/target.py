"""What schemathesis aims at: two APIs on databases of their own, two bots, two plugins."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from impl.app import create_app
from impl.db import prepare_connection
from impl.feed.places import Places
from impl.tokens import queries
from impl.tokens.format import Kind, NewToken
from impl.tokens.hashing import hash_token
from impl.tokens.scopes import ADMIN_SCOPES
from tests.contract.credentials import ADA, BOB, Credentials
from tests.contract.known import SPARE_TOKENS, TEXTS, Known
from tests.contract.reached import Reached
from tests.published import undeclared
from tests.servers import create_database
from tests.stack import BOT_SCOPES, Api, running_api, scripted_plugin, serving, settings_for

PLUGIN_SCOPES = ["plugins:read", "telemetry:read", "telemetry:write"]
# Their secrets are nobody's: they are there to be managed.
SPARE = """
INSERT INTO tokens (id, kind, bot_id, plugin_id, hash, scopes)
SELECT left($1, 1) || lpad(number::text, 15, '0'), $1, $2, $3, 'none', $4
FROM generate_series(0, $5 - 1) AS number
"""
SUBSCRIPTION = "INSERT INTO notification_subscriptions (url) VALUES ($1) RETURNING id"
DELIVERY = """
INSERT INTO notification_deliveries (subscription_id, event_id, event_type, severity, body)
SELECT $1::uuid, gen_random_uuid(), 'notification_test', 'info', jsonb_build_object(
    'type', 'notification_test', 'timestamp', now(),
    'data', jsonb_build_object('subscription_id', $1::uuid))
RETURNING id
"""
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Target:
    """A running system: what it holds, and what it answered."""

    known: Known
    reached: Reached

    @property
    def other_bot_asked(self) -> bool:
        """Whether object_level_authorization read a dialog as the bot that did not make it."""
        return ("getDialog", 404, BOB) in self.reached.answers


@asynccontextmanager
async def fuzz_target(
    postgres: str, valkey: str, template: str, credentials: Credentials
) -> AsyncIterator[Target]:
    """Registration has an API and a database of its own: a fuzzed plugin would take messages away.

    Heartbeats go to a plugin that answers nobody, since a fuzzed one says `disabled`.
    """
    number = next(_numbers)
    main, aside = f"fuzz_{number}", f"fuzz_{number}_registry"
    database = await create_database(postgres, main, template=template)
    reached = Reached(
        {credentials.ada.plaintext.encode(): ADA, credentials.bob.plaintext.encode(): BOB}
    )
    async with scripted_plugin() as plugin:
        known = await _furnish(database, valkey, plugin.url, credentials)
        # A copy of all that, so that the same credentials are good there.
        registry = await create_database(postgres, aside, template=main)
        apps = [create_app(settings_for(each, valkey)) for each in (database, registry)]
        for app in apps:
            app.add_middleware(reached.wrap)
        async with serving(apps[0]) as url, serving(apps[1]) as registry_url:
            yield Target(Known(url=url, registry_url=registry_url, **known), reached)
    for each in (database, registry):
        async with asyncpg.create_pool(
            each, min_size=0, max_size=2, init=prepare_connection
        ) as pool:
            assert await undeclared(pool, settings_for(each, valkey)) == []


async def _furnish(
    database: str, valkey: str, plugin_url: str, credentials: Credentials
) -> dict[str, Any]:
    """What a Known says beside the addresses."""
    async with (
        asyncpg.create_pool(database, min_size=0, max_size=2, init=prepare_connection) as pool,
        running_api(pool, settings_for(database, valkey), bot_name=ADA) as api,
    ):
        await api.add_plugin(plugin_url)
        pulse = await api.add_plugin(plugin_url, "pulse")
        plugin_id = UUID(pulse["plugin_id"])
        bob = await pool.fetchval("INSERT INTO bots (name) VALUES ($1) RETURNING id", BOB)
        await _insert(pool, "bot", credentials.ada, BOT_SCOPES, api.bot_id)
        await _insert(pool, "bot", credentials.bob, BOT_SCOPES, bob)
        await _insert(pool, "registry", credentials.registry, ["plugins:register"])
        await _insert(pool, "plugin", credentials.plugin, PLUGIN_SCOPES, plugin_id)
        await pool.execute("UPDATE plugins SET scopes = $2 WHERE id = $1", plugin_id, PLUGIN_SCOPES)
        await _insert(pool, "admin", credentials.admin, sorted(ADMIN_SCOPES))
        spare, doomed = [
            await pool.fetchval("INSERT INTO bots (name) VALUES ($1) RETURNING id", name)
            for name in ("spare", "doomed")
        ]
        await pool.execute(SPARE, "bot", spare, None, BOT_SCOPES, SPARE_TOKENS)
        await pool.execute(SPARE, "plugin", None, plugin_id, PLUGIN_SCOPES, SPARE_TOKENS)
        spare_plugin, doomed_plugin = [
            (await api.add_plugin(plugin_url, name))["plugin_id"] for name in ("shelf", "doomed")
        ]
        subscription, doomed_subscription = [
            await pool.fetchval(SUBSCRIPTION, plugin_url) for _ in range(2)
        ]
        delivery, _ = [await pool.fetchval(DELIVERY, subscription) for _ in range(2)]
        deliveries = f"/api/v1/notifications/subscriptions/{subscription}/deliveries"
        users = [await api.user(telegram_id) for telegram_id in (1001, 1002, 1003)]
        dialogs = {str(uuid4()): user for user in users[:2]}
        return {
            "plugin_url": plugin_url,
            "plugin_id": pulse["plugin_id"],
            "users": users,
            "dialogs": dialogs,
            "doomed_bot_id": str(doomed),
            "spare_bot_id": str(spare),
            "spare_user_id": await api.user(1004),
            "doomed_user_id": await api.user(1005),
            "spare_plugin_id": spare_plugin,
            "doomed_plugin_id": doomed_plugin,
            "place": Places(settings_for(database, valkey).secret_key.get_secret_value()).write(0),
            "subscription_id": str(subscription),
            "doomed_subscription_id": str(doomed_subscription),
            "delivery_id": str(delivery),
            "list_cursors": {
                name: await _second_page(api, path, credentials)
                for name, path in {
                    "listPlugins": "/api/v1/plugins",
                    "listBots": "/api/v1/admin/bots",
                    "listSubscriptions": "/api/v1/notifications/subscriptions",
                    "listDeliveries": deliveries,
                    "listAllPlugins": "/api/v1/admin/plugins",
                    "listAuditEntries": "/api/v1/admin/audit",
                    "listPluginEvents": "/api/v1/plugins/events",
                    "listBotTokens": f"/api/v1/admin/bots/{spare}/tokens",
                    "listPluginTokens": f"/api/v1/admin/plugins/{plugin_id}/tokens",
                }.items()
            },
            "cursors": {dialog: await _page(api, dialog, user) for dialog, user in dialogs.items()},
            "messages": dict.fromkeys(dialogs, TEXTS[0]),
        }


async def _insert(
    pool: asyncpg.Pool, kind: Kind, token: NewToken, scopes: list[str], subject: UUID | None = None
) -> None:
    hashed = await hash_token(token.plaintext)
    await queries.insert(
        pool, token.id, kind, subject_id=subject, hashed=hashed, scopes=scopes, expires_in=None
    )


async def _page(api: Api, dialog: str, user: str) -> str:
    """The cursor of the dialog's second page."""
    for text in TEXTS:
        answer = await api.say(user, text, dialog, message_id=text)
        assert answer.json["status"] == "accepted", answer.raw
    page = await api.bot("GET", f"/api/v1/dialogs/{dialog}", params={"limit": "1"})
    return str(page.json["next_cursor"])


async def _second_page(api: Api, path: str, credentials: Credentials) -> str:
    headers = {
        "X-Admin-Key": credentials.admin.plaintext,
        "Authorization": f"Bearer {credentials.plugin.plaintext}",
    }
    page = await api.send("GET", path, params={"limit": "1"}, headers=headers)
    assert page.status == 200, page.raw
    return str(page.json["next_cursor"])
