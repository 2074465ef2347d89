"""What the cases need to exist: bots, users, dialogs and plugins, all made through the API."""

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tools.conform.answers import Answer
from tools.conform.client import Client, Request
from tools.conform.plugin import Plugin
from tools.contract import Json, Operation

BOT_SCOPES = ("dialogs:read", "dialogs:write", "users:erase", "users:write")
PLUGIN_SCOPES = ("plugins:read", "telemetry:read", "telemetry:write")
SCOPES = {"BotToken": BOT_SCOPES, "PluginToken": PLUGIN_SCOPES}
# A little more than the shortest life of a token.
EXPIRY_SECONDS = 1.1


class SetupError(Exception):
    """The deployment refused what every case builds on."""


@dataclass(frozen=True)
class Keys:
    """Of operators. The spare ones, which no API issues, are by scheme and state."""

    admin: str
    registry: str
    spare: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bot:
    id: str
    token: str
    user_id: str


@dataclass(frozen=True)
class RegisteredPlugin:
    id: str
    token: str


@dataclass
class World:
    client: Client
    operations: dict[str, Operation]
    keys: Keys
    plugin: Plugin
    # Messages that begin with this word are the suite's plugin's.
    word: str = field(default_factory=lambda: f"conform{secrets.token_hex(4)}")
    _dead: dict[tuple[str, str], str] = field(default_factory=dict)

    async def call(self, operation: str, **request: Any) -> Answer:
        return await self.client.send(Request(self.operations[operation], **request))

    async def make(self, operation: str, **request: Any) -> Any:
        """The body of a success. Raises SetupError."""
        answer = await self.call(operation, **request)
        if answer.status >= 300:
            raise SetupError(f"{operation} answered {answer}: {answer.content[:500]!r}")
        return answer.json

    async def administer(self, operation: str, **request: Any) -> Any:
        return await self.make(operation, credentials={"AdminKey": self.keys.admin}, **request)

    async def bot(self) -> Bot:
        """A bot of its own with one user."""
        made = await self.administer(
            "createBot", body={"name": f"{self.word}-{uuid4()}", "scopes": list(BOT_SCOPES)}
        )
        return Bot(made["bot"]["id"], made["token"], await self.user(made["token"]))

    async def user(self, token: str) -> str:
        """One whom the bot with this token alone has registered."""
        user = await self.make(
            "upsertUser",
            credentials={"BotToken": token},
            body={"telegram_id": secrets.randbits(52), "display_name": "Ada", "locale": "en"},
        )
        return str(user["user_id"])

    async def registered_plugin(self) -> RegisteredPlugin:
        made = await self.make(
            "registerPlugin",
            credentials={"RegistryKey": self.keys.registry},
            body=self.registration(f"{self.word}-{secrets.token_hex(6)}"),
        )
        return RegisteredPlugin(made["plugin_id"], made["token"])

    async def subscription(self) -> str:
        """Of a webhook at the suite's plugin, which takes none."""
        body = {"url": self.plugin.url, "event_types": [f"plugin_custom_{self.word}"]}
        made = await self.administer("createSubscription", body=body)
        return str(made["subscription"]["id"])

    async def delivery(self, subscription_id: str) -> str:
        path = {"subscription_id": subscription_id}
        return str((await self.administer("testSubscription", path=path))["id"])

    def registration(self, name: str, *intents: Json) -> Json:
        manifest = {
            "name": name,
            "version": "1.0.0",
            "intents": list(intents),
            "auth": {"type": "bearer", "scopes": list(PLUGIN_SCOPES)},
            "supported_schema_versions": ["v1alpha"],
        }
        return {
            "name": name,
            "version": "1.0.0",
            "base_url": self.plugin.url,
            "manifest": manifest,
            "scopes": list(PLUGIN_SCOPES),
        }

    async def receive_messages(self) -> None:
        """Register the plugin that the suite's own messages go to."""
        condition = {"type": "regex", "value": f"^{self.word} "}
        intent = {"tag": "conform", "activation_condition": condition, "priority": 1000}
        body = self.registration(self.word, intent)
        credentials = {"RegistryKey": self.keys.registry}
        await self.make("registerPlugin", credentials=credentials, body=body)

    def text(self, word: str) -> Json:
        return {"type": "text", "text": f"{self.word} {uuid4()} {word}"}

    async def message(self, bot: Bot, dialog_id: str | None = None) -> tuple[str, str]:
        """The ids of a dialog and of an answered message in it."""
        dialog_id, message_id = dialog_id or str(uuid4()), str(uuid4())
        await self.make(
            "addDialogMessage",
            path={"dialog_id": dialog_id},
            credentials={"BotToken": bot.token},
            body={
                "user_id": bot.user_id, "message_id": message_id, "payload": self.text("answer")
            },
        )  # fmt: skip
        return dialog_id, message_id

    async def token(self, scheme: str, subject: str, scopes: tuple[str, ...], **more: Any) -> Json:
        """Another token of a bot or a plugin: its secret as `token`, the rest as `issued`."""
        kind = "Bot" if scheme == "BotToken" else "Plugin"
        issued: Json = await self.administer(
            f"issue{kind}Token",
            path={f"{kind.lower()}_id": subject},
            body={"scopes": list(scopes), **more},
        )
        return issued

    async def dead_token(self, scheme: str, state: str) -> str | None:
        """An expired or a revoked token of this scheme; None where nobody gave one."""
        if scheme not in SCOPES:
            return self.keys.spare.get((scheme, state))
        return self._dead[scheme, state]

    async def bury_tokens(self) -> None:
        """Makes the tokens that `dead_token` gives."""
        bot, plugin = await self.bot(), await self.registered_plugin()
        for scheme, subject in (("BotToken", bot.id), ("PluginToken", plugin.id)):
            scopes, kind = SCOPES[scheme], scheme.removesuffix("Token")
            expired = await self.token(scheme, subject, scopes, expires_in_seconds=1)
            revoked = await self.token(scheme, subject, scopes)
            path = {f"{kind.lower()}_id": subject, "token_id": revoked["issued"]["id"]}
            await self.administer(f"revoke{kind}Token", path=path)
            self._dead[scheme, "expired"] = expired["token"]
            self._dead[scheme, "revoked"] = revoked["token"]
        await asyncio.sleep(EXPIRY_SECONDS)

    async def leave(self) -> None:
        """Takes away what the run made; what a case took away already stays so."""
        credentials = {"AdminKey": self.keys.admin}
        for subject, subject_id in self.client.made["setLimit"]:
            path = {"subject": subject, "subject_id": subject_id}
            await self.call("resetLimit", path=path, credentials=credentials)
        for subscription in self.client.made["createSubscription"]:
            path = {"subscription_id": subscription}
            await self.call("deleteSubscription", path=path, credentials=credentials)
        for bot in self.client.made["createBot"]:
            await self.call("revokeBot", path={"bot_id": bot}, credentials=credentials)
        for plugin in self.client.made["registerPlugin"]:
            await self.call("deletePlugin", path={"plugin_id": plugin}, credentials=credentials)
