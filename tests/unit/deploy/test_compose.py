"""compose.yaml and the Dockerfile name what is there, and their processes would start.

No image is built here: what they say is held against the settings, the commands and the files.
"""

import fnmatch
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from impl.cli.app import app
from impl.safety import settings_risks
from impl.secrecy.settings import holds_secret
from impl.settings import Settings
from impl.text_reply.risks import settings_risks as text_reply_risks
from impl.text_reply.settings import TextReplySettings
from tools.contract import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
MOUNTED = "/run/secrets/"


def names(settings: type[Settings | TextReplySettings]) -> set[str]:
    """Of the environment's variables."""
    found = set()
    for name, field in settings.model_fields.items():
        found.add(f"BOTCORE_{name}".upper())
        if holds_secret(field.annotation):
            found.add(f"BOTCORE_{name}_FILE".upper())
    return found


def environment(service: str, secrets: Path) -> dict[str, str]:
    """As its container has it, with the files of `secrets` in their place."""
    given: dict[str, str] = SERVICES[service]["environment"]
    own = {"/var/lib/botcore/registry_key": str(secrets / "secret_key")}  # any text will do
    return {
        name: own.get(value, value.replace(MOUNTED, f"{secrets}/")) for name, value in given.items()
    }


def instructions(word: str) -> list[str]:
    joined = re.sub(r"\\\n", " ", DOCKERFILE)
    return [rest.strip() for rest in re.findall(rf"^{word} (.*)$", joined, re.MULTILINE)]


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script of compose.yaml makes."""
    folder = tmp_path_factory.mktemp("secrets")
    script = ROOT / "deploy" / "compose" / "secrets.sh"
    subprocess.run(["sh", str(script), str(folder)], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("service", ["api1", "api2", "worker"])
def test_the_core_would_start(service: str, secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(service, secrets).items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.refused(settings_risks(settings)) == []
    accepted = {risk.name for risk in settings.accepted(settings_risks(settings))}
    assert accepted == settings.accepted_risks  # and nothing is accepted that is no risk here


def test_text_reply_would_start(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment("text-reply", secrets).items():
        monkeypatch.setenv(name, value)
    settings = TextReplySettings()
    assert settings.refused(text_reply_risks(settings)) == []
    assert settings.base_url == f"http://text-reply:{settings.text_reply_port}"


@pytest.mark.parametrize("service", OURS)
def test_every_setting_is_there(service: str) -> None:
    given = {name for name in SERVICES[service]["environment"] if name.startswith("BOTCORE_")}
    of = TextReplySettings if service == "text-reply" else Settings
    assert given <= names(of)
    assert set(re.findall(r"\b(BOTCORE_\w+)=", DOCKERFILE)) <= names(Settings)


@pytest.mark.parametrize("service", ["api1", "api2", "worker"])
def test_every_command_can_be_read(service: str) -> None:
    assert instructions("ENTRYPOINT") == ['["botcore"]']
    read(SERVICES[service]["command"])


def test_what_sets_up_can_be_read() -> None:
    (script,) = SERVICES["setup"]["command"]
    lines = [line for line in script.splitlines() if "botcore " in line and "/lib/" not in line]
    assert len(lines) == 2
    for line in lines:
        read(shlex.split(line.partition(" >")[0])[1:])


def read(words: list[str]) -> None:
    """As the command line does; it raises where there is no such command or option."""
    command = typer.main.get_command(app)
    while words:
        name, *words = words
        command = command.commands[name]  # type: ignore[attr-defined]  # a group has commands
        if not hasattr(command, "commands"):
            command.make_context(name, list(words))
            return
    pytest.fail("a group is no command")


def test_who_starts_after_whom() -> None:
    """The tables are there before anything looks at them, and nobody serves without an instance."""
    for service in ("api1", "api2", "worker"):
        needed = SERVICES[service]["depends_on"]
        assert needed["setup"]["condition"] == "service_completed_successfully"
    assert SERVICES["setup"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    for each in SERVICES.values():
        assert set(each.get("depends_on", {})) <= set(SERVICES)


def test_every_secret_is_made_and_every_file_is_there(secrets: Path) -> None:
    declared = COMPOSE["secrets"]
    assert {Path(each["file"]).name for each in declared.values()} == {
        made.name for made in secrets.iterdir()
    }
    for name, service in SERVICES.items():
        given = set(service.get("secrets", []))
        text = yaml.safe_dump(service)
        assert set(re.findall(rf"{MOUNTED}(\w+)", text)) == given, name
        assert given <= set(declared)
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (ROOT / source).is_file(), volume
        for network in service["networks"]:
            assert network in COMPOSE["networks"]


def test_nobody_but_the_stores_is_where_nothing_is_encrypted() -> None:
    """What BOTCORE_ACCEPTED_RISKS stands on."""
    assert COMPOSE["networks"]["data"] == {"internal": True}
    members = {name for name, each in SERVICES.items() if "data" in each["networks"]}
    assert members == {"api1", "api2", "worker", "setup", "postgres", "redis"}
    assert all("ports" not in SERVICES[name] for name in members)


def test_our_containers_may_do_little() -> None:
    for name in OURS:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    assert instructions("USER") == ["10001:10001"]


def test_the_image_is_made_of_files_that_the_daemon_is_given() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    kept = [line[1:] for line in ignored if line.startswith("!")]
    assert "*" in ignored
    copied = [
        source
        for words in instructions("COPY") if not words.startswith("--from")
        for source in words.split()[:-1]
    ]  # fmt: skip
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(fnmatch.fnmatch(source, pattern) for pattern in kept), source


def test_what_is_installed_is_locked_and_what_it_starts_from_has_a_version() -> None:
    installs = re.findall(r"pip install ([^\\&\n]*)", DOCKERFILE)
    assert [words.strip() for words in installs] == [
        "--require-hashes -r requirements/runtime.txt",
        "--no-deps --no-build-isolation .",
    ]
    assert re.findall(r"^ARG PYTHON=(.*)$", DOCKERFILE, re.MULTILINE) == ["3.11-slim-bookworm"]
    for service in SERVICES.values():
        assert re.search(r":\d", service["image"]), service["image"]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {SERVICES[name]["image"] for name in OURS} == {f"botcore:{version}"}
