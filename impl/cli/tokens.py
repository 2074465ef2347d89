"""The commands on tokens that bots, plugins and keys have alike.

A new secret is alone on standard output, this once; what is said of it is on standard error.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    import asyncpg

    from impl.tokens.administration.actions import Grant, Issued
    from impl.tokens.administration.queries import Holder, Token

Find: TypeAlias = "Callable[[asyncpg.Connection], Awaitable[Holder]]"
Read: TypeAlias = "Callable[[asyncpg.Connection, Holder], Awaitable[Grant]]"

# The widest last: people look for what is old, or unused.
COLUMNS = ("id", "name", "created_at", "expires_at", "revoked_at", "last_used_at", "scopes")
SENT_AS = {
    "bot": "X-Bot-Token",
    "plugin": "Authorization: Bearer …",
    "admin": "X-Admin-Key",
    "registry": "X-Registry-Key",
}

All = Annotated[bool, typer.Option("--all", help="The revoked ones too.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON array.")]
TokenId = Annotated[str, typer.Argument(help="The token's public id, as the list shows it.")]
Scopes = Annotated[list[str] | None, typer.Option("--scope", help="Repeat for several.")]
Name = Annotated[str | None, typer.Option(help="What to call it in lists.")]
ExpiresIn = Annotated[
    str | None, typer.Option(help="Its end from now, such as 90d, 12h or seconds.")
]
Overlap = Annotated[
    str | None, typer.Option(help="How long the old one lives on; without: 10m. 0 revokes it.")
]


def show(find: Find, columns: Sequence[str], *, as_json: bool, revoked: bool = True) -> None:
    from impl.cli import printing
    from impl.cli.database import opened
    from impl.tokens.administration import actions

    async def work(connection: "asyncpg.Connection") -> "list[Token]":
        return await actions.page(connection, await find(connection))

    found = [token for token in opened(work) if revoked or token.revoked_at is None]
    printing.show(found, columns, as_json=as_json)


def issue(find: Find, read: Read) -> None:
    from impl.audit.log import on_this_machine
    from impl.cli.database import opened
    from impl.tokens.administration import actions
    from impl.tokens.issue import prepare

    async def work(connection: "asyncpg.Connection") -> "Issued":
        holder = await find(connection)
        grant = await read(connection, holder)
        new = await prepare(holder.kind)
        async with connection.transaction():
            return await actions.issue(connection, on_this_machine(), holder, new, grant)

    reveal(opened(work))


def rotate(find: Find, token_id: str, overlap: str | None, expires_in: str | None) -> None:
    from impl.audit.log import on_this_machine
    from impl.cli.database import opened
    from impl.cli.values import lifetime, overlap_of
    from impl.tokens.administration import actions
    from impl.tokens.issue import prepare

    kept, end = overlap_of(overlap), lifetime(expires_in)

    async def work(connection: "asyncpg.Connection") -> "Issued":
        holder = await find(connection)
        new = await prepare(holder.kind)
        async with connection.transaction():
            return await actions.rotate(
                connection,
                on_this_machine(),
                holder,
                token_id,
                new,
                overlap=kept,
                expires_in=end,
            )

    done = opened(work)
    old = f"ends within {kept.total_seconds():.0f} s" if kept else "is revoked"
    typer.echo(f"token {token_id} {old}", err=True)
    reveal(done)


def narrow(find: Find, token_id: str, scopes: list[str] | None, expires_in: str | None) -> None:
    from impl.audit.log import on_this_machine
    from impl.cli.database import connected
    from impl.cli.environment import refuse
    from impl.cli.values import lifetime
    from impl.tokens.administration import actions

    if not scopes and expires_in is None:
        refuse("say what it shall still have: --scope (repeat for several), --expires-in")
    end = lifetime(expires_in)
    kept = list(dict.fromkeys(scopes)) if scopes else None

    async def work(connection: "asyncpg.Connection") -> "Token":
        holder = await find(connection)
        return await actions.narrow(
            connection, on_this_machine(), holder, token_id, scopes=kept, expires_in=end
        )

    token = connected(work)
    typer.echo(described(token))


def revoke(find: Find, token_id: str) -> None:
    from impl.audit.log import on_this_machine
    from impl.cli.database import connected
    from impl.cli.printing import moment
    from impl.tokens.administration import actions

    async def work(connection: "asyncpg.Connection") -> "Token":
        return await actions.revoke(connection, on_this_machine(), await find(connection), token_id)

    token = connected(work)
    typer.echo(
        f"token {token.id} revoked at {moment(token.revoked_at)} UTC; "
        "instances notice within a second"
    )


def reveal(issued: "Issued") -> None:
    sent_as = SENT_AS[issued.token.kind]
    typer.echo(f"{described(issued.token)}. Shown this once; send it as {sent_as}:", err=True)
    typer.echo(issued.plaintext)


def described(token: "Token") -> str:
    from impl.cli.printing import moment

    scopes = ", ".join(token.scopes) or "nothing but heartbeats"
    end = f"expires at {moment(token.expires_at)} UTC" if token.expires_at else "never expires"
    return f"token {token.id} permits {scopes} and {end}"
