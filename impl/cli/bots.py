"""`botcore bots`: who may use the API. A new token is printed once, alone on standard output."""

import json
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from impl.tokens.queries import Bot

LONGEST_NAME = 64

bots = typer.Typer(
    name="bots", help="Create, list and revoke bots.", no_args_is_help=True, rich_markup_mode=None
)


class Scope(StrEnum):
    DIALOGS_READ = "dialogs:read"
    DIALOGS_WRITE = "dialogs:write"
    USERS_WRITE = "users:write"


@bots.command()
def create(
    name: Annotated[str, typer.Argument(help="1 to 64 characters, unlike any other bot's.")],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="Repeat for several; without any: all of them.")
    ] = None,
) -> None:
    """Create a bot and print its token, this once."""
    from impl.cli.database import connected
    from impl.cli.environment import refuse

    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        refuse("a bot's name has 1 to 64 printable characters")
    token = connected(lambda connection: _create(connection, name, scope or list(Scope)))
    if token is None:
        refuse(f"there is a bot named {name} already (revoked ones keep their name)", code=1)
    typer.echo(f"bot {name} created. Its token, shown this once; send it as X-Bot-Token:", err=True)
    typer.echo(token)


@bots.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False,
) -> None:
    """List every bot with the number of its valid tokens."""
    from impl.cli.database import connected
    from impl.tokens import queries

    found = connected(queries.list_bots)
    typer.echo(_as_json(found) if as_json else _as_table(found))


@bots.command()
def revoke(name_or_id: Annotated[str, typer.Argument(help="A bot's name or id.")]) -> None:
    """Revoke a bot and its tokens; instances notice within 30 s."""
    from impl.cli.database import connected
    from impl.cli.environment import refuse

    revoked = connected(lambda connection: _revoke(connection, name_or_id))
    if revoked is None:
        refuse(f"there is no bot {name_or_id}", code=1)
    typer.echo(f"bot {name_or_id} {'revoked' if revoked else 'was revoked already'}")


async def _create(connection: object, name: str, scopes: list[Scope]) -> str | None:
    from impl.tokens import queries
    from impl.tokens.issue import issue

    bot_id = await queries.insert_bot(connection, name)
    if bot_id is None:
        return None
    return (await issue(connection, "bot", subject_id=bot_id, scopes=scopes)).plaintext


async def _revoke(connection: object, name_or_id: str) -> bool | None:
    from impl.tokens import queries

    bot_id = await queries.find_bot(connection, name_or_id)
    return None if bot_id is None else await queries.revoke_bot(connection, bot_id)


def _as_json(found: "list[Bot]") -> str:
    return json.dumps(
        [
            {
                **asdict(bot),
                "id": str(bot.id),
                "created_at": bot.created_at.isoformat(),
                "revoked_at": bot.revoked_at.isoformat() if bot.revoked_at else None,
            }
            for bot in found
        ],
        indent=2,
        ensure_ascii=False,
    )


def _as_table(found: "list[Bot]") -> str:
    rows = [("ID", "NAME", "CREATED", "REVOKED", "TOKENS")]
    for bot in found:
        revoked = f"{bot.revoked_at:%Y-%m-%d %H:%M}" if bot.revoked_at else "-"
        created = f"{bot.created_at:%Y-%m-%d %H:%M}"
        rows.append((str(bot.id), bot.name, created, revoked, str(bot.tokens)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
