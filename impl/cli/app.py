"""The commands. Imports are inside them: `botcore --help` must not wait for a web framework."""

import asyncio
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from impl.cli.bots import bots
from impl.cli.checks import doctor, verify_streams
from impl.cli.db import db
from impl.cli.explain import explain
from impl.cli.keys import keys
from impl.cli.limits import limits
from impl.cli.notifications import notifications
from impl.cli.plugin import plugin
from impl.cli.plugins import plugins
from impl.cli.users import users

app = typer.Typer(
    name="botcore",
    help="The core of a bot platform.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(bots, name="bots")
app.add_typer(plugins, name="plugins")
app.add_typer(plugin, name="plugin")
app.add_typer(keys, name="keys")
app.add_typer(limits, name="limits")
app.add_typer(db, name="db")
app.add_typer(users, name="users")
app.command()(explain)
app.add_typer(notifications, name="notifications")
app.command()(doctor)
app.command("verify-streams")(verify_streams)


@contextmanager
def _loading() -> Iterator[None]:
    """What a service loads, it keeps: nothing of it is searched for garbage, now or later."""
    gc.disable()
    # structlog would load it for tracebacks in colour, which a service never writes.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # Python's way to say: not here
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@app.command()
def up(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The API's port; 0 takes a free one.")
    ] = 8080,
) -> None:
    """Start everything on this machine, for a developer."""
    from impl.local.development import up as run

    raise typer.Exit(asyncio.run(run(port=port)))


@app.command()
def serve(
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=64, help="Processes behind the one port; without: BOTCORE_SERVE_WORKERS."
        ),
    ] = None,
) -> None:
    """Serve the API until SIGTERM."""
    with _loading():
        from impl.cli.environment import safe_settings

        settings = safe_settings()
        if workers is not None:
            settings = settings.model_copy(update={"serve_workers": workers})
        if settings.serve_workers > 1:
            from impl.serving.supervisor import run
        else:
            from impl.serve import run

    raise typer.Exit(run(settings))


@app.command(hidden=True)
def serve_process(number: int, pulse: int) -> None:
    """One process of `serve --workers`, whose supervisor reads its pulse from a descriptor."""
    from impl.cli.environment import safe_settings

    settings = safe_settings()
    from impl.serve import run_one
    from impl.serving.pulse import Pulse

    raise typer.Exit(run_one(settings, number, Pulse(pulse)))


@app.command()
def worker() -> None:
    """Publish events and finish late calls, until SIGTERM."""
    with _loading():
        from impl.cli.environment import safe_settings

        settings = safe_settings()
        from impl.worker import run

    raise typer.Exit(run(settings))


@app.command()
def migrate(
    to: Annotated[
        str, typer.Option(metavar="REVISION", help="Go there, forward or back; base is empty.")
    ] = "head",
) -> None:
    """Bring the database's tables up to date. Many may run it at once."""
    from impl.cli.database import run
    from impl.cli.environment import refuse
    from impl.migrate import MigrationError, move

    try:
        step = run(lambda url: move(url, to))
    except MigrationError as error:
        refuse(str(error), code=1)
    before, after = step.before or "base", step.after or "base"
    typer.echo(f"{before} → {after}" if before != after else f"at {after} already")


@app.command()
def retention(
    dry_run: Annotated[  # typer makes the option of it
        bool, typer.Option("--dry-run", help="Count what would be removed, and remove nothing.")
    ] = False,
) -> None:
    """Remove what is older than it must be kept. A worker does so too, now and then."""
    from impl.cli.retention import retention as run

    run(dry_run=dry_run)


@app.command()
def chat(
    locale: Annotated[str, typer.Option(help="The language that you speak.")] = "en",
) -> None:
    """Talk to the bot in this terminal."""
    from impl.cli.chat import chat as run

    raise typer.Exit(run(locale))
