import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from impl.local.directory import Directory
from impl.local.instructions import curl, instructions


@pytest.fixture
def pasted(tmp_path: Path) -> Callable[[str], list[str]]:
    """Run a command line in a shell whose curl prints its arguments, one a line."""
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "curl"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)

    def run(line: str) -> list[str]:
        env = {"PATH": f"{fake.parent}:/usr/bin:/bin"}
        output = subprocess.check_output(["sh", "-c", line], cwd=tmp_path, env=env, text=True)
        return output.splitlines()

    return run


@pytest.mark.parametrize("name", [".botcore", "a folder; with $HOME", "sub/state"])
def test_the_line_works_as_pasted(
    tmp_path: Path, name: str, pasted: Callable[[str], list[str]]
) -> None:
    directory = Directory(tmp_path / name)
    directory.make()
    directory.write_environment({"BOTCORE_URL": "http://h:1", "BOTCORE_BOT_TOKEN": "to$ken"})
    arguments = pasted(curl(Path(name, "dev.env"), "some-user"))
    assert arguments[3].startswith("http://h:1/api/v1/dialogs/")
    assert arguments[arguments.index("-w") + 1] == r"\n"  # curl itself makes it a new line
    assert "X-Bot-Token: to$ken" in arguments
    assert json.loads(arguments[-1]) == {
        "message_id": "hello-1",
        "user_id": "some-user",
        "payload": {"type": "text", "text": "Hello!"},
    }


def test_a_file_beside_us_is_not_sought_along_the_path() -> None:
    assert curl(Path("dev.env"), "u").startswith(". ./dev.env &&")


def test_each_start_shows_a_fresh_dialog() -> None:
    assert curl(Path("dev.env"), "u") != curl(Path("dev.env"), "u")


def test_the_reader_learns_where_to_go_next(tmp_path: Path) -> None:
    text = instructions(Directory(tmp_path), "http://127.0.0.1:8080", "u", "2 km in m")
    for expected in (
        "botcore chat   (try: 2 km in m)",
        "/api/v1/dialogs/{dialog_id}",
        "http://127.0.0.1:8080/docs",
        f"{tmp_path}/logs",
        "Ctrl-C",
    ):
        assert expected in text
