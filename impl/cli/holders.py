"""`botcore bots` and `botcore plugins`: what both do with the tokens of one of theirs."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from impl.cli import tokens

if TYPE_CHECKING:
    import asyncpg

    from impl.tokens.administration.queries import Holder

Find: TypeAlias = "Callable[[asyncpg.Connection, str], Awaitable[Holder]]"
Read: TypeAlias = "Callable[[list[str] | None, str | None, str | None], tokens.Read]"


def add_token_commands(group: typer.Typer, title: str, help_: str, find: Find, read: Read) -> None:
    """Add them to `group`. `read` makes what is typed (scopes, expiry, name) a grant."""
    Which = Annotated[str, typer.Argument(metavar=title, help=help_)]  # noqa: N806  # a type

    def of(which: str) -> tokens.Find:
        return lambda connection: find(connection, which)

    @group.command("tokens")
    def tokens_(which: Which, as_json: tokens.AsJson = False) -> None:
        """List its tokens, the newest first."""
        tokens.show(of(which), tokens.COLUMNS, as_json=as_json)

    @group.command()
    def issue(
        which: Which,
        scope: tokens.Scopes = None,
        expires_in: tokens.ExpiresIn = None,
        name: tokens.Name = None,
    ) -> None:
        """Issue a further token, and print it this once."""
        tokens.issue(of(which), read(scope, expires_in, name))

    @group.command()
    def rotate(
        which: Which,
        token_id: tokens.TokenId,
        overlap: tokens.Overlap = None,
        expires_in: tokens.ExpiresIn = None,
    ) -> None:
        """Replace a token by one of the same scopes and lifetime, and print that this once."""
        tokens.rotate(of(which), token_id, overlap, expires_in)

    @group.command()
    def narrow(
        which: Which,
        token_id: tokens.TokenId,
        scope: tokens.Scopes = None,
        expires_in: tokens.ExpiresIn = None,
    ) -> None:
        """Take scopes or time from a token: name what stays."""
        tokens.narrow(of(which), token_id, scope, expires_in)

    @group.command("revoke-token")
    def revoke_token(which: Which, token_id: tokens.TokenId) -> None:
        """Revoke one token."""
        tokens.revoke(of(which), token_id)
