"""`botcore plugin`: what a plugin's team does. It needs no core and no database."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from impl.kit.results import Report, Result

TOKEN_NAME = "BOTCORE_INVOCATION_TOKEN"  # noqa: S105  # of a variable
NO_TOKEN = f"""
Without a token only what needs none is checked. It is the invocation_token in the core's answer to
the registration; a plugin of `botcore plugin new` also takes one that you choose:
  {TOKEN_NAME}=secret python plugin.py
  BOTCORE_INVOCATION_TOKEN=secret botcore plugin check URL
"""
UNTRIED = (
    "{count} checks need the plugin's token: set BOTCORE_INVOCATION_TOKEN, or leave them "
    "out by --without-token"
)
NO_SCHEMATHESIS = (
    "generated cases need schemathesis, which botcore[kit] brings: {how}. Or leave them out: "
    "--only health,manifest,invoke"
)
# In a clone by the lock and editable; a plain `pip install .` would leave a copy behind that
# `make run` goes on to run.
IN_A_CLONE = "`make kit` in {folder}, then {folder}/.venv/bin/botcore"
ELSEWHERE = "`pip install 'botcore[kit]'` for {python}, from where botcore came"
NAME_RULE = "a name begins with a-z and has only a-z, 0-9, _ and - (at most 64)"

plugin = typer.Typer(
    name="plugin",
    help="Write a plugin, and check it against the contract.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@plugin.command()
def new(
    name: Annotated[str, typer.Argument(help=f"The plugin's: {NAME_RULE}.")],
    directory: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write it, made if need be; by default ./NAME."),
    ] = None,
) -> None:
    """Write a small plugin that works and passes the check."""
    from pydantic import TypeAdapter, ValidationError

    from generated import models
    from impl.cli.environment import refuse
    from impl.kit.new import AlreadyThereError, write

    try:
        TypeAdapter(models.PluginName).validate_python(name, strict=True)
    except ValidationError:
        refuse(f"{name if name.isprintable() and name else ascii(name)}: {NAME_RULE}")
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
    without_token: Annotated[
        bool, typer.Option("--without-token", help="Leave out what needs a token.")
    ] = False,
    json: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every check there, as JSON; folders are made."),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every check there, for a CI; folders are made."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHECKS",
            help="These checks or groups only, such as health,invoke,json.utf8. A wrong name is "
            "answered with a list.",
        ),
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
    Exit code: 0 all promises are kept; 1 one is broken; 2 nothing was checked, or not all of it:
    for want of a token that the plugin takes (--without-token leaves out what needs one), or of
    schemathesis. What the manifest does not promise is not tried, and no fault.
    """
    from impl.cli.environment import refuse
    from impl.kit import results
    from impl.kit.plugin import UnreachableError
    from impl.kit.run import Options, UnknownCheckError
    from impl.kit.run import check as run

    token = _token(without_token)
    if not _is_http(url):
        refuse(f"{url} is no http:// or https:// URL")
    if token is None and not without_token:
        typer.echo(NO_TOKEN, err=True)
    options = Options(
        tuple(name.strip() for each in only or () for name in each.split(",") if name.strip()),
        seed,
        examples,
        timeout,
        _told,
        _progress,
    )
    try:
        report = asyncio.run(run(url, token, options))
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
    if report.failures:
        raise typer.Exit(1)
    if why := _incomplete(report, without_token):
        refuse(why)


def _token(without: bool) -> str | None:
    """Of the environment or a file alone: everyone on the machine reads a command's options."""
    from impl.cli.environment import given

    return None if without else given(TOKEN_NAME)


def _incomplete(report: "Report", without_token: bool) -> str | None:
    """Why a run without a failure proves too little; None where it proves what was asked."""
    if report.refusal is not None:
        return report.refusal
    lacking = report.lacking("token")
    if lacking and not without_token:
        return UNTRIED.format(count=len(lacking))
    if report.lacking("schemathesis"):
        return NO_SCHEMATHESIS.format(how=_how_to_get_the_kit())
    return None if report.tried else "nothing was checked"


def _how_to_get_the_kit() -> str:
    import impl

    folder = Path(impl.__path__[0]).parent
    if (folder / "Makefile").exists():
        return IN_A_CLONE.format(folder=folder)
    return ELSEWHERE.format(python=sys.executable)


def _told(one: "Result") -> None:
    from impl.kit.results import row

    if one.lacks != "good_token":  # of all of them the last line tells
        typer.echo(row(one))


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
