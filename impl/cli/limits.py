"""`botcore limits`: how often bots, users and plugins may ask. Instances notice within a second."""

from typing import TYPE_CHECKING, Annotated, cast

import typer

from impl.cli import tokens

if TYPE_CHECKING:
    import asyncpg

    from impl.ratelimit.administration import Changed, Effective
    from impl.ratelimit.queries import Subject

COLUMNS = ("subject", "subject_id", "quota", "window_seconds", "updated_at")

limits = typer.Typer(
    name="limits",
    help="Show and set how often bots, users and plugins may ask.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


Whose = Annotated[str, typer.Argument(help="Whose limit it is: bot, user or plugin.")]
Who = Annotated[str, typer.Argument(help="Its id; also a bot's name, or a plugin's name@version.")]


@limits.command("list")
def list_(as_json: tokens.AsJson = False) -> None:
    """List all that are not the contract's."""
    from impl.cli.database import connected
    from impl.cli.printing import show as print_rows
    from impl.ratelimit.queries import list_own

    print_rows(connected(list_own), COLUMNS, as_json=as_json)


@limits.command()
def show(subject: Whose, who: Who) -> None:
    """Show the limit that holds for one."""
    from impl.cli.database import connected
    from impl.ratelimit import administration

    async def work(connection: "asyncpg.Connection") -> "Effective":
        return await administration.show(connection, await _find(connection, subject, who))

    _tell(connected(work))


@limits.command("set")
def set_(
    subject: Whose,
    who: Who,
    quota: Annotated[int, typer.Option(help="So many requests, also at once …")],
    window: Annotated[str, typer.Option(help="… in this time, such as 60, 1m or 1h.")],
) -> None:
    """Set a limit of its own for one."""
    from generated import models
    from impl.audit.log import on_this_machine
    from impl.cli.database import connected
    from impl.cli.values import check, seconds_of
    from impl.ratelimit import administration

    check(models.Quota, quota, "--quota")
    seconds = check(models.WindowSeconds, seconds_of(window, "--window") or 0, "--window")

    async def work(connection: "asyncpg.Connection") -> "Changed":
        found = await _find(connection, subject, who)
        return await administration.change(connection, on_this_machine(), found, quota, seconds)

    _tell(connected(work).effective)


@limits.command()
def reset(subject: Whose, who: Who) -> None:
    """Take a limit back: the contract's holds again."""
    from impl.audit.log import on_this_machine
    from impl.cli.database import connected
    from impl.ratelimit import administration

    async def work(connection: "asyncpg.Connection") -> "Changed":
        found = await _find(connection, subject, who)
        return await administration.reset(connection, on_this_machine(), found)

    _tell(connected(work).effective)


async def _find(connection: "asyncpg.Connection", subject: str, who: str) -> "Subject":
    from uuid import UUID

    from generated import models
    from impl.bots.queries import find_bot
    from impl.cli.environment import refuse
    from impl.cli.values import check
    from impl.plugins.queries import find_plugin
    from impl.ratelimit.queries import Subject

    kind = cast("models.LimitSubject", check(models.LimitSubject, subject, "SUBJECT"))
    if kind == "user":
        try:
            return Subject("user", UUID(who))
        except ValueError:
            refuse("name a user by the id that its registration returned")
    found = await (find_bot if kind == "bot" else find_plugin)(connection, who)
    if found is None:
        refuse(f"there is no {kind} {who}", code=1)
    return Subject(kind, found)


def _tell(limit: "Effective") -> None:
    whose = "the contract's" if limit.is_default else "its own"
    subject = limit.subject
    typer.echo(
        f"{subject.partition} {subject.id}: {limit.quota} requests in {limit.window_seconds} s,"
        f" {whose}"
    )
