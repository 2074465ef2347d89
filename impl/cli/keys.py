"""`botcore keys`: the keys of operators and of the registry, on the machine itself only."""

from typing import TYPE_CHECKING, Annotated

import typer

from impl.cli import tokens

if TYPE_CHECKING:
    import asyncpg

    from impl.tokens.administration.actions import Grant
    from impl.tokens.administration.queries import Holder
    from impl.tokens.format import Kind

COLUMNS = ("kind", *tokens.COLUMNS)

keys = typer.Typer(
    name="keys",
    help="Manage the keys of operators and of the registry.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@keys.command()
def create(
    admin: Annotated[bool, typer.Option("--admin", help="For X-Admin-Key.")] = False,
    registry: Annotated[bool, typer.Option("--registry", help="For X-Registry-Key.")] = False,
    scope: tokens.Scopes = None,
    expires_in: tokens.ExpiresIn = None,
    name: tokens.Name = None,
) -> None:
    """Create a key and print it, this once; without --scope it permits everything."""
    from generated import models
    from impl.cli.environment import refuse
    from impl.cli.values import check, lifetime
    from impl.tokens.administration.actions import Grant
    from impl.tokens.administration.queries import Holder
    from impl.tokens.development import NAME
    from impl.tokens.scopes import KEY_SCOPES

    if admin == registry:
        refuse("say which: --admin or --registry")
    kind: Kind = "admin" if admin else "registry"
    known = sorted(KEY_SCOPES[kind])
    if unknown := set(scope or ()) - set(known):
        refuse(f"--scope: no {' nor '.join(sorted(unknown))}; there is {', '.join(known)}")
    check(models.Name | None, name, "--name")
    if name == NAME:
        refuse(f"--name: {NAME} is what `botcore up` calls its own, and revokes")
    grant = Grant(list(dict.fromkeys(scope or known)), lifetime(expires_in), name)

    async def find(_connection: "asyncpg.Connection") -> "Holder":
        return Holder(kind)

    async def read(_connection: "asyncpg.Connection", _holder: "Holder") -> "Grant":
        return grant

    tokens.issue(find, read)


@keys.command("list")
def list_(as_json: tokens.AsJson = False, all_: tokens.All = False) -> None:
    """List the keys, the newest first; without --all those that are not revoked."""
    from impl.tokens.administration.queries import Holder

    async def find(_connection: "asyncpg.Connection") -> "Holder":
        return Holder("admin")  # the list is of both kinds

    tokens.show(find, COLUMNS, as_json=as_json, revoked=all_)


@keys.command()
def rotate(
    key_id: tokens.TokenId,
    overlap: tokens.Overlap = None,
    expires_in: tokens.ExpiresIn = None,
) -> None:
    """Replace a key by one of the same scopes and lifetime, and print that this once."""
    tokens.rotate(_find(key_id), key_id, overlap, expires_in)


@keys.command()
def narrow(
    key_id: tokens.TokenId, scope: tokens.Scopes = None, expires_in: tokens.ExpiresIn = None
) -> None:
    """Take scopes or time from a key: name what stays."""
    tokens.narrow(_find(key_id), key_id, scope, expires_in)


@keys.command()
def revoke(key_id: tokens.TokenId) -> None:
    """Revoke a key; instances notice within a second."""
    tokens.revoke(_find(key_id), key_id)


def _find(key_id: str) -> tokens.Find:
    async def find(connection: "asyncpg.Connection") -> "Holder":
        from impl.cli.environment import refuse
        from impl.tokens.administration.queries import Holder, find_key

        kind = await find_key(connection, key_id)
        if kind is None:
            refuse(f"there is no key {key_id}; `botcore keys list` shows them", code=1)
        return Holder(kind)

    return find
