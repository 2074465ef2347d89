"""The status lock: mypy refuses a handler that answers what its operation does not declare."""

import re
import subprocess
import sys

import pytest

from tools.contract import ROOT

PREAMBLE = """
from generated import models
from generated.core.dialogs import (
    AddDialogMessage200, AddDialogMessage404, AddDialogMessage409, AddDialogMessageResult,
    DialogsHandlers, GetDialog200, GetDialog404, GetDialogMessage404, GetDialogResult,
    ResetDialog404,
)
from generated.core.security import BotToken
from generated.core.users import UpsertUser201
from generated.runtime.edge import Idempotency, Rendered
from uuid import UUID

OWNER = UUID(int=1)

async def declared(body: models.DialogMessageResponseV1) -> AddDialogMessageResult:
    return AddDialogMessage200(
        body=body, owner=OWNER, location="/x", idempotency_replayed="true"
    )

class Declared:
    async def get_dialog(
        self, bot_token: BotToken, path: models.GetDialogPath, query: models.GetDialogQuery
    ) -> GetDialog404:
        return GetDialog404(code="dialog_not_found")

    async def add_dialog_message(
        self, bot_token: BotToken, path: models.AddDialogMessagePath,
        header: models.AddDialogMessageHeader, prefer: frozenset[str],
        body: models.DialogMessageCreateV1, idempotency: Idempotency,
    ) -> AddDialogMessage404:
        return AddDialogMessage404(code="user_not_found")

    async def get_dialog_message(
        self, bot_token: BotToken, path: models.GetDialogMessagePath
    ) -> GetDialogMessage404:
        return GetDialogMessage404(code="message_not_found")

    async def reset_dialog(
        self, bot_token: BotToken, path: models.ResetDialogPath, body: models.DialogResetRequestV1
    ) -> ResetDialog404:
        return ResetDialog404(code="dialog_not_found")

fits: DialogsHandlers = Declared()
"""
# What each line is refused for; the line after it would be, were it not.
WRONG = {
    "another operation's result": (
        (
            "async def a(b: models.UserUpsertResponseV1) -> AddDialogMessageResult:\n"
            "    return UpsertUser201(body=b)"
        ),
        "return-value",
    ),
    "another operation's problem": (
        (
            "async def b() -> AddDialogMessageResult:\n"
            '    return GetDialog404(code="dialog_not_found")'
        ),
        "return-value",
    ),
    "a code of another operation": (
        'c = AddDialogMessage404(code="plugin_not_found")',
        "arg-type",
    ),
    "a code of another status": (
        'd = AddDialogMessage404(code="message_in_flight")',
        "arg-type",
    ),
    "a header of the wrong type": (
        'e = AddDialogMessage409(code="message_in_flight", retry_after="soon")',
        "arg-type",
    ),
    "a header's wrong value": (
        (
            "def f(b: models.DialogMessageResponseV1) -> None:\n"
            "    AddDialogMessage200(body=b, owner=OWNER, location=str(),"
            ' idempotency_replayed="false")'
        ),
        "arg-type",
    ),
    "a required header left out": (
        'g = AddDialogMessage409(code="message_in_flight")',
        "call-arg",
    ),
    "an object without its owner": (
        (
            "def o(b: models.DialogMessageResponseV1) -> None:\n"
            '    AddDialogMessage200(body=b, location="/x")'
        ),
        "call-arg",
    ),
    "a body of another schema": (
        (
            "def h(b: models.UserUpsertResponseV1) -> None:\n"
            '    AddDialogMessage200(body=b, owner=OWNER, location="/x")'
        ),
        "arg-type",
    ),
    "stored bytes of another schema": (
        (
            "def i(b: Rendered[models.UserUpsertResponseV1]) -> None:\n"
            '    AddDialogMessage200(body=b, owner=OWNER, location="/x")'
        ),
        "arg-type",
    ),
    "a handler that lacks an operation": (
        (
            "class Half:\n"
            "    async def get_dialog(\n"
            "        self, bot_token: BotToken, path: models.GetDialogPath,\n"
            "        query: models.GetDialogQuery,\n"
            "    ) -> GetDialog200: ...\n"
            "j: DialogsHandlers = Half()"
        ),
        "assignment",
    ),
    "a handler that returns too much": (
        (
            "class Loose(Declared):\n"
            "    async def get_dialog(  # type: ignore[override]\n"
            "        self, bot_token: BotToken, path: models.GetDialogPath,\n"
            "        query: models.GetDialogQuery,\n"
            "    ) -> GetDialogResult | UpsertUser201: ...\n"
            "k: DialogsHandlers = Loose()"
        ),
        "assignment",
    ),
}


@pytest.fixture(scope="session")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """What mypy, as this project runs it, says of each line of all the snippets in one file."""
    snippet = tmp_path_factory.mktemp("types") / "handlers_in_doubt.py"
    snippet.write_text(whole())
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--explicit-package-bases", str(snippet),
         f"--cache-dir={snippet.parent / 'cache'}", "--disable-error-code=empty-body"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    found = re.findall(r"handlers_in_doubt\.py:(\d+): error: .*\[([a-z-]+)\]", done.stdout)
    return {int(line): code for line, code in found}


def whole() -> str:
    return "\n".join([PREAMBLE, *(source for source, _ in WRONG.values())])


def last_line(source: str) -> int:
    """The number of the snippet's last line: the one that is wrong."""
    before = whole()[: whole().index(source) + len(source)]
    return before.count("\n") + 1


@pytest.mark.parametrize("why", WRONG)
def test_it_is_refused(refusals: dict[int, str], why: str) -> None:
    source, code = WRONG[why]
    assert refusals.get(last_line(source)) == code


def test_nothing_else_is(refusals: dict[int, str]) -> None:
    assert set(refusals) == {last_line(source) for source, _ in WRONG.values()}
