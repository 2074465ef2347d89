"""`botcore bots`: who may use the API. A new token is printed once, alone on standard output."""

from typing import TYPE_CHECKING, Annotated

import typer

from impl.cli import tokens
from impl.cli.holders import add_token_commands

if TYPE_CHECKING:
    from uuid import UUID

    import asyncpg

    from impl.bots.administration import Revoked
    from impl.bots.queries import Bot
    from impl.notifications.administration import Callback
    from impl.tokens.administration.actions import Grant, Issued
    from impl.tokens.administration.queries import Holder

COLUMNS = ("id", "name", "created_at", "revoked_at", "tokens", "callback_url")
NAME_OR_ID = "A bot's name or id."

bots = typer.Typer(
    name="bots", help="Manage bots and their tokens.", no_args_is_help=True, rich_markup_mode=None
)


@bots.command()
def create(
    name: Annotated[str, typer.Argument(help="1 to 64 characters, unlike any other bot's.")],
    scope: tokens.Scopes = None,
    expires_in: tokens.ExpiresIn = None,
) -> None:
    """Create a bot and print its token, this once.

    Without --scope it permits everything but to erase users.
    """
    from generated import models
    from impl.audit.log import on_this_machine
    from impl.bots import administration
    from impl.cli.database import opened
    from impl.cli.values import check
    from impl.tokens.issue import prepare

    check(models.Name, name, "a bot's name")
    grant = _grant(scope, expires_in, None)

    async def work(connection: "asyncpg.Connection") -> "tuple[Bot, Issued]":
        first = await prepare("bot")
        async with connection.transaction():
            return await administration.create(connection, on_this_machine(), name, first, grant)

    _, issued = opened(work)
    typer.echo(f"bot {name} created", err=True)
    tokens.reveal(issued)


@bots.command("list")
def list_(as_json: tokens.AsJson = False, all_: tokens.All = False) -> None:
    """List the bots with the number of their valid tokens; without --all no revoked ones."""
    from impl.bots.queries import list_bots
    from impl.cli.database import connected
    from impl.cli.printing import show

    found = [bot for bot in connected(list_bots) if all_ or bot.revoked_at is None]
    show(found, COLUMNS, as_json=as_json)


@bots.command()
def revoke(name_or_id: Annotated[str, typer.Argument(help=NAME_OR_ID)]) -> None:
    """Revoke a bot and its tokens; instances notice within a second."""
    from impl.audit.log import on_this_machine
    from impl.bots import administration
    from impl.cli.database import connected

    async def work(connection: "asyncpg.Connection") -> "Revoked":
        bot_id = await _bot_id(connection, name_or_id)
        return await administration.revoke(connection, on_this_machine(), bot_id)

    was_revoked = connected(work).was_revoked
    typer.echo(f"bot {name_or_id} {'was revoked already' if was_revoked else 'revoked'}")


@bots.command()
def callback(
    name_or_id: Annotated[str, typer.Argument(help=NAME_OR_ID)],
    url: Annotated[str | None, typer.Option(help="Where it is told of late answers.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Call it back no more.")] = False,
) -> None:
    """Have a bot called back when a late answer is there; a new callback's secret is printed."""
    from impl.audit.log import on_this_machine
    from impl.cli.database import opened
    from impl.cli.environment import refuse
    from impl.cli.notifications import checked_url, reveal
    from impl.notifications import administration

    if (url is None) is not remove:
        refuse("give --url, or --remove")

    async def work(connection: "asyncpg.Connection") -> "Callback | None":
        if url is not None:
            await checked_url(url)
        async with connection.transaction():
            bot_id = await _bot_id(connection, name_or_id)
            if url is None:
                await administration.remove_callback(connection, on_this_machine(), bot_id)
                return None
            return await administration.set_callback(connection, on_this_machine(), bot_id, url)

    done = opened(work)
    if done is None:
        typer.echo(f"bot {name_or_id} is not called back")
        return
    typer.echo(f"bot {name_or_id} is called back by {done.subscription.id}", err=True)
    if done.created:
        reveal(done.subscription)


async def _find(connection: "asyncpg.Connection", name_or_id: str) -> "Holder":
    from impl.tokens.administration.queries import Holder

    return Holder("bot", await _bot_id(connection, name_or_id))


async def _bot_id(connection: "asyncpg.Connection", name_or_id: str) -> "UUID":
    from impl.bots.queries import find_bot
    from impl.cli.environment import refuse

    bot_id = await find_bot(connection, name_or_id)
    if bot_id is None:
        refuse(f"there is no bot {name_or_id}; `botcore bots list` shows them", code=1)
    return bot_id


def _grant(scopes: list[str] | None, expires_in: str | None, name: str | None) -> "Grant":
    from generated import models
    from impl.cli.values import check, lifetime
    from impl.tokens.administration.actions import Grant

    chosen = scopes or models.BotCreateV1.model_fields["scopes"].default
    check(models.BotScopes, chosen, "--scope")
    check(models.Name | None, name, "--name")
    return Grant(chosen, lifetime(expires_in), name)


def _read(scopes: list[str] | None, expires_in: str | None, name: str | None) -> tokens.Read:
    grant = _grant(scopes, expires_in, name)

    async def read(_connection: "asyncpg.Connection", _holder: "Holder") -> "Grant":
        return grant

    return read


add_token_commands(bots, "BOT", NAME_OR_ID, _find, _read)
