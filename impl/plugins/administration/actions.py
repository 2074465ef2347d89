"""Enable, disable, delete: in the caller's transaction, with an audit row of who did it and why."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

import asyncpg

from generated.errors import PluginNotFound
from impl.audit.log import Actor, record, revoked
from impl.db import Executor
from impl.plugins.administration import queries
from impl.plugins.administration.queries import Plugin
from impl.tokens.queries import revoke_plugin_tokens

# Whether the plugin at this base URL is healthy; see PluginCaller.healthy.
Probe: TypeAlias = Callable[[str], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Probed:
    """What a plugin's `/health` said before the transaction: None where there is nothing to ask."""

    base_url: str
    healthy: bool


@dataclass(frozen=True, slots=True)
class Deleted:
    plugin: Plugin
    token_ids: list[str]  # what this call revoked


async def probe(executor: Executor, plugin_id: UUID, healthy: Probe) -> Probed | None:
    """Ask a disabled plugin; None for one that is enabled. Raises PluginNotFound."""
    plugin = await _present(executor, plugin_id)
    if plugin.status != "disabled":
        return None
    return Probed(plugin.base_url, await healthy(plugin.base_url))


async def enable(
    connection: asyncpg.Connection,
    actor: Actor,
    plugin_id: UUID,
    reason: str | None,
    probed: Probed | None,
) -> Plugin:
    """Raises PluginNotFound. An enabled plugin is left as it is."""
    if probed is not None and await queries.enable(
        connection,
        plugin_id,
        healthy=probed.healthy,
        base_url=probed.base_url,
        trace_id=actor.trace_id,
    ):
        await record(connection, actor, "plugin_enabled", _details(plugin_id, reason))
    return await _present(connection, plugin_id)


async def disable(
    connection: asyncpg.Connection, actor: Actor, plugin_id: UUID, reason: str
) -> Plugin:
    """Raises PluginNotFound. A disabled plugin keeps its time; its tokens stay good."""
    if await queries.disable(connection, plugin_id, reason, actor.trace_id):
        details = _details(plugin_id, reason)
        await record(connection, actor, "plugin_disabled", details, "warning")
    return await _present(connection, plugin_id)


async def delete(
    connection: asyncpg.Connection, actor: Actor, plugin_id: UUID, reason: str | None
) -> Deleted:
    """Raises PluginNotFound. A deleted plugin keeps its time."""
    token_ids: list[str] = []
    if await queries.delete(connection, plugin_id, reason, actor.trace_id):
        # A statement of its own, behind the plugin's lock: it sees what was issued until then.
        token_ids = await revoke_plugin_tokens(connection, plugin_id)
        details = _details(plugin_id, reason, **revoked(token_ids))
        await record(connection, actor, "plugin_deleted", details, "warning")
    plugin = await queries.read(connection, plugin_id)
    if plugin is None:
        raise PluginNotFound
    return Deleted(plugin, token_ids)


async def _present(executor: Executor, plugin_id: UUID) -> Plugin:
    plugin = await queries.read(executor, plugin_id)
    if plugin is None or plugin.deleted_at is not None:
        raise PluginNotFound
    return plugin


def _details(plugin_id: UUID, reason: str | None, **more: object) -> dict[str, object]:
    return {"plugin_id": plugin_id, "reason": reason, **more}
