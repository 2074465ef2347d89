"""`NAME_FILE` in place of `NAME`, for every secret and every command."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from impl.cli.app import app
from impl.secrecy.files import MOST_BYTES, SecretFileError, read_secret
from impl.secrecy.settings import SecretSettings
from impl.settings import Settings
from impl.text_reply.settings import TextReplySettings

NAME = "BOTCORE_DATABASE_URL"
CANARY = "canary-of-a-secret"
GOOD = {
    "database_url": "postgresql://u:p@127.0.0.1/x",
    "database_listen_url": "postgresql://u:p@127.0.0.1/y",
    "redis_url": "redis://:p@127.0.0.1/0",
    "secret_key": "a secret key, long enough for it",
    "llm_api_key": "sk-of-a-file",
    "registry_key": "bc_registry_of_a_file",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secret"


def from_file(path: Path | str, **more: str) -> str | None:
    return read_secret(NAME, {f"{NAME}_FILE": str(path), **more})


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_a_file_is_as_good_as_a_variable(end: str, file: Path) -> None:
    file.write_bytes(f" {CANARY} ".encode() + end.encode())
    assert from_file(file) == f" {CANARY} "
    assert from_file(file, **{NAME: ""}) == f" {CANARY} "
    assert read_secret(NAME, {NAME: CANARY}) == CANARY
    assert read_secret(NAME, {NAME: CANARY, f"{NAME}_FILE": ""}) == CANARY
    assert read_secret(NAME, {}) is None


def test_a_mount_that_all_may_read_is_taken(file: Path) -> None:
    file.write_text(CANARY)
    file.chmod(0o444)
    link = file.with_name("link")  # as Kubernetes mounts them
    link.symlink_to(file)
    assert from_file(link) == CANARY


def refusal(path: Path | str, **more: str) -> str:
    with pytest.raises(SecretFileError) as refused:
        from_file(path, **more)
    assert CANARY not in str(refused.value)
    return str(refused.value)


def test_what_cannot_be_used_is_told_and_never_shown(file: Path) -> None:
    # Whoever mistakes NAME_FILE for NAME has put the secret where a path belongs.
    assert "No such file" in refusal(f"/nowhere/{CANARY}")
    assert "its path is none" in refusal(f"{CANARY}\0")
    file.write_text(CANARY)
    both = refusal(file, **{NAME: "x"})
    assert both == f"is set, and so is {NAME}_FILE: leave one of them out"
    file.chmod(0o646)
    assert "written by everyone" in refusal(file)
    file.chmod(0o600)
    for empty in (b"", b"\n", b" \r\n"):
        file.write_bytes(empty)
        assert "is empty" in refusal(file)
    file.write_bytes(b"\xff" + CANARY.encode())
    assert "not UTF-8" in refusal(file)
    file.write_bytes(b"x" * (MOST_BYTES + 1))
    assert "larger than" in refusal(file)
    assert "no regular file" in refusal("/dev/zero")
    assert "directory" in refusal(file.parent)


def secrets_of(settings: type[SecretSettings]) -> set[str]:
    """By the words of its type, and not by the function that is tried here."""
    fields = settings.model_fields.items()
    return {name for name, field in fields if "SecretStr" in str(field.annotation)}


@pytest.mark.parametrize("settings", [Settings, TextReplySettings])
def test_every_secret_setting_may_be_a_file(
    settings: type[SecretSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = secrets_of(settings)
    assert names <= set(GOOD), "a new secret: give it a value here"
    monkeypatch.setenv("BOTCORE_URL", "http://127.0.0.1:1")
    for name in names:
        (tmp_path / name).write_text(GOOD[name] + "\n")
        monkeypatch.setenv(f"BOTCORE_{name.upper()}_FILE", str(tmp_path / name))
    read = settings()
    found = {name: getattr(read, name).get_secret_value() for name in names}
    assert found == {name: GOOD[name] for name in names}


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTCORE_DATABASE_URL_FILE", f"/nowhere/{CANARY}")
    monkeypatch.setenv("BOTCORE_REDIS_URL", f"amqp://:{CANARY}@h")
    monkeypatch.setenv("BOTCORE_SECRET_KEY", CANARY)
    monkeypatch.setenv("BOTCORE_SECRET_KEY_FILE", str(tmp_path))
    monkeypatch.setenv("BOTCORE_PORT", "-1")
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert CANARY not in str(refused.value)
    told = {each["loc"][0]: each["msg"] for each in refused.value.errors()}
    assert set(told) == {"database_url", "redis_url", "secret_key", "port"}
    assert "is set, and so is BOTCORE_SECRET_KEY_FILE" in told["secret_key"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "mysql://u:p@h/x"),
        ("database_url", "postgresql://u:p@h:port/x"),
        ("database_listen_url", "redis://h"),
        ("redis_url", "postgresql://h/x"),
        ("redis_url", "redis://h/0?socket_timeout=secret"),
    ],
)
def test_an_address_of_another_form_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match="its form is"):
        Settings.model_validate({**GOOD, name: value})


def test_several_hosts_are_an_address() -> None:
    url = "postgresql://u:p@a:5432,b:5433,[::1]:5434/x"
    read = Settings.model_validate({**GOOD, "database_url": url})
    assert read.database_url.get_secret_value() == url


# What an option may be called that takes a secret.
TELLING = ("token", "key", "secret", "password", "passwd", "credential", "url", "dsn", "auth")
HARMLESS = {
    "--without-token": "a flag",
    "--url": "where a bot is called back; operators and the audit log see it",
}


def test_no_option_of_any_command_takes_a_secret() -> None:
    """Everyone on the machine reads the arguments of a process, and shells keep them."""
    import typer

    options: dict[str, str] = {}

    def walk(command: object, path: str) -> None:
        for parameter in getattr(command, "params", ()):
            if parameter.param_type_name == "option":
                options.update(dict.fromkeys(parameter.opts, path))
        for name, each in getattr(command, "commands", {}).items():
            walk(each, f"{path} {name}")

    walk(typer.main.get_command(app), "botcore")
    assert len(options) > 20
    assert set(HARMLESS) <= set(options)
    suspects = {
        name: path
        for name, path in options.items()
        if any(word in name for word in TELLING) and name not in HARMLESS
    }
    assert suspects == {}


def test_no_settings_class_reads_a_secret_without_its_file_form() -> None:
    """A `SecretStr` of a class that does not know files would have no such form."""
    import importlib
    import pkgutil

    from pydantic_settings import BaseSettings

    import impl

    for module in pkgutil.walk_packages(impl.__path__, "impl."):
        if module.name.rpartition(".")[2] == "settings":
            importlib.import_module(module.name)

    def subclasses(kind: type[BaseSettings]) -> set[type[BaseSettings]]:
        below = set(kind.__subclasses__())
        return below | {each for one in below for each in subclasses(one)}

    plain = {
        each.__name__
        for each in subclasses(BaseSettings)
        if not issubclass(each, SecretSettings)
        and any(field.annotation is SecretStr for field in each.model_fields.values())
    }
    assert plain == set()
    assert issubclass(Settings, SecretSettings)
