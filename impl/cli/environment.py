"""What the commands read from the environment, and how they say that it is not there."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Never, TypeVar

import typer

from impl.local.directory import Directory
from impl.safety import settings_risks
from impl.secrecy.files import SecretFileError, read_secret
from impl.secrecy.urls import POSTGRESQL_FORM, REDIS_FORM, is_postgresql, is_redis
from impl.settings import OutgoingSettings, RetentionSettings, Settings

if TYPE_CHECKING:
    from pydantic import ValidationError

S = TypeVar("S", OutgoingSettings, RetentionSettings, Settings)

DIRECTORY = Path(".botcore")
SECRET_KEY_LENGTH = 32


def refuse(message: str, code: int = 2) -> Never:
    """End with one line for a person, and no traceback."""
    typer.echo(f"botcore: {message}", err=True)
    raise typer.Exit(code)


def given(name: str) -> str | None:
    """Of the environment, or of the file that `<name>_FILE` names; None where neither is set."""
    try:
        return read_secret(name)
    except SecretFileError as error:
        refuse(f"{name}: {error}")


def database_url() -> str:
    """Only this one: a job that migrates needs no other secret.

    Without it the database of this folder's `botcore up`, where it ever ran.
    """
    url = given("BOTCORE_DATABASE_URL") or Directory(DIRECTORY).read_database_url()
    if not url:
        refuse(
            f"BOTCORE_DATABASE_URL is not set: set it to {POSTGRESQL_FORM},"
            " or start `botcore up` here"
        )
    if not is_postgresql(url):
        # Never quoted: with a sign in the wrong place anything may be the password.
        refuse(
            "BOTCORE_DATABASE_URL is no URL of a PostgreSQL database:"
            f" its form is {POSTGRESQL_FORM}"
        )
    return url


def redis_url() -> str | None:
    """As `database_url`, from the same place; None where nobody says."""
    ours = not given("BOTCORE_DATABASE_URL")
    url = given("BOTCORE_REDIS_URL") or (Directory(DIRECTORY).read_redis_url() if ours else None)
    if url and not is_redis(url):
        refuse(f"BOTCORE_REDIS_URL is no URL of a Redis: its form is {REDIS_FORM}")
    return url


def told_settings() -> tuple[Settings | None, list[str]]:
    """The settings, or why there are none. Where it is `botcore up` that runs here, its own."""
    from pydantic import ValidationError

    here = Directory(DIRECTORY)
    found: dict[str, Any] = {}
    if not given("BOTCORE_DATABASE_URL") and here.read_database_url():
        found = {
            "database_url": here.read_database_url(),
            "redis_url": redis_url(),
            "secret_key": given("BOTCORE_SECRET_KEY") or here.secret_key(),
        }
    try:
        return Settings(**found), []
    except ValidationError as error:
        return None, _complaints(error)


def outgoing_settings() -> OutgoingSettings:
    """What may be asked of plugins from here: as `botcore up` does where it is its database."""
    ours = not given("BOTCORE_DATABASE_URL")
    return OutgoingSettings(development=True) if ours else _read(OutgoingSettings)


def retention_settings() -> RetentionSettings:
    return _read(RetentionSettings)


def secret_key() -> str:
    """What webhooks' secrets are made of; of this folder's `botcore up` where it is its database.

    Of the two both or none: with another key than the instances' no signature would be right.
    """
    if given("BOTCORE_DATABASE_URL"):
        key = given("BOTCORE_SECRET_KEY") or ""
        if len(key) < SECRET_KEY_LENGTH:
            refuse("BOTCORE_SECRET_KEY is not set: set it to the one of the instances")
        return key
    return Directory(DIRECTORY).secret_key()


def origin() -> str:
    """Where `database_url` found it, for a person."""
    named = given("BOTCORE_DATABASE_URL")
    return "BOTCORE_DATABASE_URL" if named else f"`botcore up` in {DIRECTORY} (is it running?)"


def read_settings() -> Settings:
    return _read(Settings)


def safe_settings() -> Settings:
    """Of a process that serves: what is not safe is refused, all of it at once."""
    settings = read_settings()
    if refused := settings.refused(settings_risks(settings)):
        told = "".join(f"\n  {risk}" for risk in refused)
        refuse(f"not started, as the settings are not safe:{told}")
    return settings


def _read(settings: type[S]) -> S:
    from pydantic import ValidationError

    try:
        return settings()
    except ValidationError as error:
        complaints = _complaints(error)
    refuse("; ".join(complaints))


def _complaints(error: "ValidationError") -> list[str]:
    """Names and reasons, never the values: some are secrets."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return [
        _complaint(str(each["loc"][0]), each["type"], each["msg"].removeprefix("Value error, "))
        if each["loc"]  # of several together: its words name them
        else each["msg"].removeprefix("Value error, ")
        for each in problems
    ]


def _complaint(field: str, kind: str, message: str) -> str:
    name = f"BOTCORE_{field.upper()}"
    if kind != "missing":
        return f"{name}: {message}"
    form = Settings.model_fields[field].description
    return f"{name} is not set: set it ({form})" if form else f"{name} is not set"
