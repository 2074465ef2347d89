"""`botcore plugins`: what operators do with plugins and their tokens."""

from typing import TYPE_CHECKING, Annotated, cast

import typer

from impl.cli import tokens
from impl.cli.holders import add_token_commands

if TYPE_CHECKING:
    from uuid import UUID

    import asyncpg

    from impl.plugins.administration.actions import Deleted
    from impl.plugins.administration.queries import Plugin
    from impl.tokens.administration.actions import Grant
    from impl.tokens.administration.queries import Holder

ID_OR_VERSION = "A plugin's id, or its name@version."
COLUMNS = (
    "plugin_id",
    "name",
    "version",
    "status",
    "last_heartbeat",
    "outage_since",
    "outage_reason",
    "served_manifest",
    "disabled_at",
)
PROBE_SECONDS = 2.0

Which = Annotated[str, typer.Argument(metavar="PLUGIN", help=ID_OR_VERSION)]
Reason = Annotated[str | None, typer.Option(help="Why; it is kept in the audit trail.")]

plugins = typer.Typer(
    name="plugins",
    help="Manage plugins and their tokens.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


async def find(connection: "asyncpg.Connection", id_or_version: str) -> "Holder":
    from impl.tokens.administration.queries import Holder

    return Holder("plugin", await _plugin_id(connection, id_or_version))


def _read(scopes: list[str] | None, expires_in: str | None, name: str | None) -> tokens.Read:
    """Without scopes, those that the plugin registered for."""
    from generated import models
    from impl.cli.values import check, lifetime
    from impl.tokens.administration.actions import Grant
    from impl.tokens.administration.queries import lock_plugin

    check(models.PluginScopes, scopes or [], "--scope")
    check(models.Name | None, name, "--name")
    end = lifetime(expires_in)

    async def read(connection: "asyncpg.Connection", holder: "Holder") -> "Grant":
        return Grant(scopes or sorted(await lock_plugin(connection, holder.id) or ()), end, name)

    return read


@plugins.command("list")
def list_(
    status: Annotated[str | None, typer.Option(help="Only those of this status.")] = None,
    as_json: tokens.AsJson = False,
) -> None:
    """List the registered plugins, those that were registered last first."""
    from generated import models
    from impl.cli.database import connected
    from impl.cli.printing import show
    from impl.cli.values import check
    from impl.plugins.administration.queries import list_plugins

    check(models.PluginStatus | None, status, "--status")
    chosen = cast("models.PluginStatus | None", status)
    found = connected(lambda connection: list_plugins(connection, status=chosen))
    show(found, COLUMNS, as_json=as_json)


@plugins.command()
def enable(which: Which, reason: Reason = None) -> None:
    """Enable a plugin: it is active if its /health is well, else from its next sign of life on."""
    from impl.audit.log import on_this_machine
    from impl.cli.database import opened
    from impl.cli.environment import outgoing_settings
    from impl.outgoing.client import OutgoingClient
    from impl.plugins.administration import actions
    from impl.plugins.probe import illness

    given = _checked(reason)

    async def work(connection: "asyncpg.Connection") -> "Plugin":
        plugin_id = await _plugin_id(connection, which)
        client = OutgoingClient(outgoing_settings())

        async def healthy(url: str) -> bool:
            return await illness(client, url, PROBE_SECONDS) is None

        try:
            probed = await actions.probe(connection, plugin_id, healthy)
        finally:
            await client.close()
        async with connection.transaction():
            return await actions.enable(connection, on_this_machine(), plugin_id, given, probed)

    status = opened(work).status
    ill = "; its /health gave no good answer" if status == "registering" else ""
    typer.echo(f"plugin {which} is {status}{ill}")


@plugins.command()
def disable(which: Which, reason: Annotated[str, typer.Option(help="Why; it is kept.")]) -> None:
    """Take a plugin out of service until it is enabled; its tokens stay good."""
    from impl.audit.log import on_this_machine
    from impl.cli.database import connected
    from impl.cli.printing import moment
    from impl.plugins.administration import actions

    given = _checked(reason) or ""

    async def work(connection: "asyncpg.Connection") -> "Plugin":
        plugin_id = await _plugin_id(connection, which)
        return await actions.disable(connection, on_this_machine(), plugin_id, given)

    at = moment(connected(work).disabled_at)
    typer.echo(f"plugin {which} is disabled since {at}; instances notice within a second")


@plugins.command()
def delete(which: Which, reason: Reason = None) -> None:
    """Delete a plugin for good and revoke its tokens; its calls and events stay."""
    from impl.audit.log import on_this_machine
    from impl.cli.database import connected
    from impl.plugins.administration import actions

    given = _checked(reason)

    async def work(connection: "asyncpg.Connection") -> "Deleted":
        plugin_id = await _plugin_id(connection, which)
        return await actions.delete(connection, on_this_machine(), plugin_id, given)

    revoked = len(connected(work).token_ids)
    typer.echo(f"plugin {which} deleted, {revoked} of its tokens revoked")


async def _plugin_id(connection: "asyncpg.Connection", id_or_version: str) -> "UUID":
    from impl.cli.environment import refuse
    from impl.plugins.queries import find_plugin

    plugin_id = await find_plugin(connection, id_or_version)
    if plugin_id is None:
        refuse(f"there is no plugin {id_or_version}; `botcore plugins list` shows them", code=1)
    return plugin_id


def _checked(reason: str | None) -> str | None:
    from generated import models
    from impl.cli.values import check

    return check(models.Line | None, reason, "--reason")


add_token_commands(plugins, "PLUGIN", ID_OR_VERSION, find, _read)
