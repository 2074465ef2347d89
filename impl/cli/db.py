"""`botcore db`: what belongs to the database's server, and not to a migration."""

import typer

db = typer.Typer(help="Roles of the database.", no_args_is_help=True)


@db.callback()
def _db() -> None:
    """Has commands of its own, though there is one: `botcore db roles`."""


@db.command()
def roles() -> None:
    """Make app_readonly, app_writer and migration, and hand the tables over. Again: no change.

    BOTCORE_DATABASE_URL names a login that may make roles. They have no login of their own: make
    one for each process, as a member.
    """
    from impl import roles as made
    from impl.cli.database import connected
    from impl.cli.environment import refuse

    try:
        done = connected(made.make)
    except made.RolesError as error:
        refuse(str(error), code=1)
    for role in made.ROLES:
        typer.echo(f"{role}: {'created' if role in done.created else 'there already'}")
    for owner in done.kept:
        typer.echo(
            f"{owner}: owned the tables; now a member of {made.MIGRATION}, as long as need be"
        )
