"""Plugins of every stage behind one API, and what was decided for its messages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from generated import models
from impl.settings import Settings
from impl.tokens.issue import issue
from tests.stack import Answer, Api, ScriptedPlugin, manifest, regex_intent, running_api
from tests.unit.routing.tables import Scripted, classifier_intent, custom_intent

WEATHER = [
    regex_intent("command", r"^/weather\b", 5),
    classifier_intent("weather", "will it rain", threshold=0.6, priority=10),
]
ORDERS = [
    regex_intent("number", r"(?i)\border\s+\d+", 1),
    classifier_intent("order", "where is my parcel"),
    classifier_intent("weather", "is it cold", threshold=0.9),
]
VIP = [
    custom_intent("vip", "metadata.vip == true", 900),
    custom_intent("files", 'payload.attachments.exists(a, a.type.startsWith("image/"))', 1),
    custom_intent("again", "!dialog.is_new && dialog.last_plugin == 'vip' && locale == 'ru'", 2),
]


@dataclass
class Routed:
    """One API on `plugin`, which serves all of the catalogue."""

    api: Api
    plugin: ScriptedPlugin
    pool: asyncpg.Pool
    key: str
    classifier: Scripted = field(default_factory=Scripted)

    async def add(self, name: str, *intents: dict[str, Any], **more: Any) -> Any:
        version = more.pop("version", "1.0.0")
        described = {**manifest(name, version, *intents), **more}
        body = {
            "name": name, "version": version, "base_url": self.plugin.url, "manifest": described
        }  # fmt: skip
        answer = await self.api.register(body)
        assert answer.status in (200, 201), answer.raw
        return answer.json

    async def fill(self) -> None:
        await self.add("text_reply")
        await self.add("weather", *WEATHER, sticky_bonus=0.3)
        await self.add("orders", *ORDERS)
        await self.add("vip", *VIP)

    async def explain(self, text: str | None = None, **body: Any) -> Answer:
        payload = {"payload": {"type": "text", "text": text}} if text is not None else {}
        headers = {"X-Admin-Key": self.key}
        path = "/api/v1/routing/explain"
        return await self.api.send("POST", path, json={**payload, **body}, headers=headers)

    async def explained(self, text: str | None = None, **body: Any) -> dict[str, Any]:
        answer = await self.explain(text, **body)
        assert answer.status == 200, answer.raw
        models.RoutingDecisionV1.model_validate_json(answer.raw)
        found: dict[str, Any] = answer.json
        return found

    async def say(self, user: str, text: str, dialog: UUID, **more: Any) -> dict[str, Any]:
        """What was decided for this message, as its call keeps it."""
        answer = await self.api.say(user, text, dialog, **more)
        assert answer.status == 200, answer.raw
        return await self.latest(dialog)

    async def latest(self, dialog: UUID) -> dict[str, Any]:
        found: dict[str, Any] = await self.pool.fetchval(
            "SELECT routing FROM plugin_calls WHERE dialog_id = $1 ORDER BY seq DESC LIMIT 1",
            dialog,
        )
        models.RoutingDecisionV1.model_validate_json(_json(found))
        return found


def _json(value: object) -> bytes:
    import orjson

    return orjson.dumps(value)


def where(decision: dict[str, Any]) -> str:
    return f"{decision['stage']} {decision['plugin']}"


@asynccontextmanager
async def routed_api(
    pool: asyncpg.Pool, settings: Settings, plugin: ScriptedPlugin
) -> AsyncIterator[Routed]:
    classifier = Scripted()
    key = await issue(pool, "admin", scopes=["routing:explain"])
    async with running_api(pool, settings, classifier=classifier) as api:
        yield Routed(api, plugin, pool, key.plaintext, classifier)
