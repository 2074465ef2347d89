"""`botcore users`: what operators do with the people behind the messages."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import datetime

    import asyncpg

users = typer.Typer(name="users", help="Erase users.", no_args_is_help=True, rich_markup_mode=None)


@users.callback()
def _group() -> None:
    """A group of one command is none to typer, but for this."""


@users.command()
def erase(
    user_id: Annotated[str, typer.Argument(help="The user's id.")],
    bot: Annotated[
        str | None, typer.Option(help="Only what this bot, by name or id, has of them.")
    ] = None,
) -> None:
    """Erase a user for good: gone at once, and removed by the workers within seconds."""
    from uuid import UUID

    from impl.audit.log import on_this_machine
    from impl.bots.queries import find_bot
    from impl.cli.database import connected
    from impl.cli.environment import refuse
    from impl.erasure import erasing

    try:
        user = UUID(user_id)
    except ValueError:
        refuse("a user's id is a UUID, as the bot was told")

    async def work(connection: "asyncpg.Connection") -> "datetime | None":
        bot_id = None if bot is None else await find_bot(connection, bot)
        if bot is not None and bot_id is None:
            refuse(f"there is no bot {bot}", code=1)
        actor = on_this_machine()
        erasure = erasing.Erasure(user, bot_id, actor.trace_id, actor)
        return await erasing.erase(connection, erasure)

    erased_at = connected(work)
    if erased_at is None:
        refuse(f"there is no user {user}" + ("" if bot is None else f" of {bot}"), code=1)
    typer.echo(f"user {user} is erased since {erased_at.isoformat()}")
