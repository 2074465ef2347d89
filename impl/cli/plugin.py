"""`botcore plugin`: what a plugin's team does. It needs no core and no database."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

TOKEN_NAME = "BOTCORE_INVOCATION_TOKEN"  # noqa: S105  # of a variable
NO_TOKEN = f"""
Without a token only what needs none is checked. It is the invocation_token in the core's answer to
the registration; a plugin of `botcore plugin new` also takes one that you choose:
  {TOKEN_NAME}=secret python plugin.py
  botcore plugin check URL --token secret
"""
NO_SCHEMATHESIS = (
    "generated cases need schemathesis, which botcore[kit] brings: `pip install '.[kit]'` in "
    "botcore's folder (for {python}), or leave them out: --only manifest --only invoke …"
)

plugin = typer.Typer(
    name="plugin",
    help="Write a plugin, and check it against the contract.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@plugin.command()
def new(
    name: Annotated[str, typer.Argument(help="The plugin's name: a-z, 0-9, _ and -.")],
    directory: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write it; by default ./NAME.")
    ] = None,
) -> None:
    """Write a small plugin that works and passes the check."""
    from generated import models
    from impl.cli.environment import refuse
    from impl.cli.values import check as checked
    from impl.kit.new import AlreadyThereError, write

    checked(models.PluginName, name, "a plugin's name")
    folder = directory or Path(name)
    try:
        written = write(name, folder)
    except (AlreadyThereError, OSError) as error:
        refuse(str(error), code=1)
    for path in written:
        typer.echo(path)
    typer.echo(f"\nRead {folder / 'README.md'}: how to run, register and check it.", err=True)


@plugin.command()
def check(  # noqa: PLR0917  # typer names them all
    url: Annotated[str, typer.Argument(help="Where the plugin serves: http://host:port")],
    token: Annotated[
        str | None,
        typer.Option(
            help=f"Its invocation_token. Without, {TOKEN_NAME} is read.", show_default=False
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every check there, as JSON.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every check there, for a CI.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="CHECK", help="This check, or this group of checks, only."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the generated cases.")] = 1,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=600, help="Seconds to wait for any answer.")
    ] = 15.0,
    examples: Annotated[
        int, typer.Option(min=1, max=10_000, help="Generated cases of an operation, at least.")
    ] = 40,
) -> None:
    """Check a plugin server, in any language, against the whole contract.

    Calls that the plugin's manifest does not allow as dry runs are real ones: use a test instance.
    Exit code: 0 all promises are kept, 1 one is broken, 2 nothing could be checked.
    """
    from impl.cli.environment import refuse
    from impl.kit import results
    from impl.kit.plugin import UnreachableError
    from impl.kit.run import MissingPackageError, Options, UnknownCheckError
    from impl.kit.run import check as run

    token = token or os.environ.get(TOKEN_NAME) or None
    if not _is_http(url):
        refuse(f"{url} is no http:// or https:// URL")
    if token is None:
        typer.echo(NO_TOKEN, err=True)
    options = Options(
        tuple(only or ()),
        seed,
        examples,
        timeout,
        lambda one: typer.echo(results.row(one)),
        _progress,
    )
    try:
        report = asyncio.run(run(url, token, options))
    except MissingPackageError:
        refuse(NO_SCHEMATHESIS.format(python=sys.executable))
    except (UnreachableError, UnknownCheckError) as error:
        refuse(str(error))
    except KeyboardInterrupt:
        refuse("interrupted: not everything was checked")
    typer.echo(f"\n{results.summary(report)}")
    try:
        if json is not None:
            results.write_json(report, json)
        if junit is not None:
            results.write_junit(report, junit)
    except OSError as error:
        refuse(f"the results cannot be written: {error}")
    raise typer.Exit(1 if report.failures else 0)


def _progress(name: str, cases: int) -> None:
    typer.echo(f"  … {name}: {cases} cases", err=True)


def _is_http(url: str) -> bool:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query
