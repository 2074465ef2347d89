"""A request that must succeed, made of the contract's own example."""

import copy
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tools.conform.client import Request
from tools.conform.world import BOT_SCOPES, PLUGIN_SCOPES, Bot, RegisteredPlugin, World
from tools.contract import Operation

# Whose payload is a user's message, and no event's.
MESSAGES = {"addDialogMessage", "explainRouting"}


class UnknownParameterError(Exception):
    """A parameter or member that the suite cannot fill: teach it in tools/conform/good.py."""


@dataclass(frozen=True)
class Caller:
    """Whose tokens a request carries where it needs some."""

    bot: Bot
    plugin: RegisteredPlugin


async def caller(world: World) -> Caller:
    return Caller(await world.bot(), await world.registered_plugin())


async def good_request(world: World, operation: Operation, who: Caller) -> Request:
    """Each call makes anew what the request uses up."""
    path: dict[str, str] = {}
    for parameter in operation.parameters("path"):
        name = parameter["name"]
        path[name] = await _path_value(world, operation, who, path, name)
    body = _body(world, operation, who, path)
    return Request(
        operation,
        path=path,
        query=_query(operation),
        credentials=credentials(world, operation, who),
        body=body,
    )


def _query(operation: Operation) -> dict[str, str]:
    """A stream must end before its answer can be judged."""
    named = {item["name"] for item in operation.parameters("query")}
    return {"max_seconds": "0"} if "max_seconds" in named else {}


def schemes(operation: Operation) -> list[str]:
    """Those that a request must prove itself by; of alternatives the first alone."""
    needs = operation.spec["security"]
    return sorted(needs[0]) if needs else []


def credentials(world: World, operation: Operation, who: Caller) -> dict[str, str]:
    known = {
        "AdminKey": world.keys.admin,
        "RegistryKey": world.keys.registry,
        "BotToken": who.bot.token,
        "PluginToken": who.plugin.token,
    }
    return {scheme: known[scheme] for scheme in schemes(operation)}


async def _path_value(
    world: World, operation: Operation, who: Caller, path: dict[str, str], name: str
) -> str:
    if name == "subject":
        return "bot"
    if name in {"bot_id", "subject_id"}:
        return (await world.bot()).id
    if name == "plugin_id":
        administered = schemes(operation) == ["AdminKey"]
        return (await world.registered_plugin()).id if administered else who.plugin.id
    if name in {"token_id", "user_id"}:
        made = _new_token(world, path) if name == "token_id" else world.user(who.bot.token)
        return await made
    if name in {"subscription_id", "delivery_id"}:
        known = path.get("subscription_id")
        return await (world.delivery(known) if known else world.subscription())
    if name in {"dialog_id", "message_id"}:
        return (await world.message(who.bot, path.get("dialog_id")))[name == "message_id"]
    raise UnknownParameterError(f"{operation.id}: {name}")


async def _new_token(world: World, path: dict[str, str]) -> str:
    """Of the path's bot or plugin, with more than one scope: it can be narrowed."""
    if "bot_id" in path:
        made = await world.token("BotToken", path["bot_id"], BOT_SCOPES)
    else:
        made = await world.token("PluginToken", path["plugin_id"], PLUGIN_SCOPES)
    found: str = made["issued"]["id"]
    return found


def _body(world: World, operation: Operation, who: Caller, path: dict[str, str]) -> Any:
    if operation.body_schema is None:
        return None
    content = operation.spec["requestBody"]["content"]["application/json"]
    body = copy.deepcopy(next(iter(content["examples"].values()))["value"])
    if operation.id == "registerPlugin":
        return world.registration(f"{world.word}-{secrets.token_hex(6)}")
    fill: dict[str, Callable[[], Any]] = {
        "user_id": lambda: who.bot.user_id,
        "dialog_id": lambda: path.get("dialog_id"),
        "plugin_id": lambda: path["plugin_id"],
        "message_id": lambda: str(uuid4()),
        "event_id": lambda: str(uuid4()),
        "name": lambda: f"{world.word}-{uuid4()}",
        "telegram_id": lambda: secrets.randbits(52),
        "occurred_at": lambda: datetime.now(UTC).isoformat(),
        "payload": lambda: world.text("answer") if operation.id in MESSAGES else {},
        "scopes": lambda: _narrower(path),
        "url": lambda: world.plugin.url,
        "callback_url": lambda: world.plugin.url,
    }
    return {name: fill[name]() if name in fill else value for name, value in body.items()}


def _narrower(path: dict[str, str]) -> list[str]:
    return ["plugins:read"] if "plugin_id" in path else ["dialogs:read"]
