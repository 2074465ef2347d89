"""The command that repeats a request: a shell sends what was sent, and no token stands in it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from impl.kit.requests import Request, curl, invocation

URL, TOKEN = "http://127.0.0.1:9/base/", "bc_invoke_canary"


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """The arguments that curl gets, and what it reads from standard input."""
    fake = tmp_path / "curl"
    fake.write_text(
        '#!/bin/sh\nprintf "%s\\0" "$@"\n[ "$(eval echo \\$$#)" = @- ] && cat\nexit 0\n'
    )
    fake.chmod(0o755)

    def _run(command: str) -> list[bytes]:
        env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TOKEN": TOKEN}
        return subprocess.check_output(["sh", "-c", command], env=env).split(b"\0")

    return _run


def test_the_shell_sends_the_same(run: Any) -> None:
    body = {"text": 'it\'s $HOME `and` "quotes" ю'}
    request = Request("POST", "/invoke", {"X-Trace-Id": "a b"}, bearer=TOKEN).with_json(body)
    command = curl(URL, request, TOKEN)
    arguments = run(command)
    assert arguments[:5] == [b"-sS", b"-i", b"-X", b"POST", b"http://127.0.0.1:9/base/invoke"]
    assert f"Authorization: Bearer {TOKEN}".encode() in arguments
    assert b"X-Trace-Id: a b" in arguments
    assert json.loads(arguments[arguments.index(b"--data-binary") + 1]) == body
    assert TOKEN not in command


def test_bytes_that_are_no_text_come_through(run: Any) -> None:
    arguments = run(curl(URL, Request("POST", "/invoke", body=b'{"a": "\xff%\n"}')))
    assert arguments[-1] == b'{"a": "\xff%\n"}'


def test_a_long_body_is_made_by_a_command(run: Any) -> None:
    request = Request("POST", "/invoke", body=b"", shell_body="printf '%s' long")
    assert run(curl(URL, request))[-1] == b"long"


def test_another_bearer_than_the_token_is_shown() -> None:
    assert "Bearer nobody" in curl(URL, Request("GET", "/", bearer="nobody"), TOKEN)


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (None, (None, "Hello!", False)),
        ({"intents": [{"tag": "say"}]}, ("say", "Hello!", False)),
        ({"intents": ["say"]}, ("say", "Hello!", False)),  # manifest 1.0
        (
            {
                "intents": [{"tag": "say"}],
                "capabilities": {"dry_run": True},
                "golden_examples": [{"name": "n", "payload": {"type": "text", "text": "/say x"}}],
            },
            ("say", "/say x", True),
        ),
    ],
)
def test_a_good_call_is_of_the_manifest(manifest: Any, expected: tuple[Any, ...]) -> None:
    body = invocation(manifest).json
    assert (body["intent"], body["payload"]["text"], body["dry_run"]) == expected
