"""`botcore plugins`: what operators do with plugins and their tokens."""

from typing import TYPE_CHECKING

import typer

from impl.cli import tokens
from impl.cli.holders import add_token_commands

if TYPE_CHECKING:
    import asyncpg

    from impl.tokens.administration.actions import Grant
    from impl.tokens.administration.queries import Holder

ID_OR_VERSION = "A plugin's id, or its name@version."

plugins = typer.Typer(
    name="plugins",
    help="Manage plugins and their tokens.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


async def find(connection: "asyncpg.Connection", id_or_version: str) -> "Holder":
    from impl.cli.environment import refuse
    from impl.plugins.queries import find_plugin
    from impl.tokens.administration.queries import Holder

    plugin_id = await find_plugin(connection, id_or_version)
    if plugin_id is None:
        refuse(f"there is no plugin {id_or_version}", code=1)
    return Holder("plugin", plugin_id)


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


add_token_commands(plugins, "PLUGIN", ID_OR_VERSION, find, _read)
