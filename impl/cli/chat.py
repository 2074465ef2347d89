"""`botcore chat`: a bot whose chat is this terminal, or a pipe."""

import asyncio
import contextlib
import sys
import unicodedata
from pathlib import Path
from uuid import uuid4

from impl.cli.chat_client import Client, Json, Problem, Unreachable
from impl.cli.environment import given
from impl.local.directory import Directory
from impl.secrecy.text import scrubbed_text

NAMES = ("BOTCORE_URL", "BOTCORE_BOT_TOKEN")
DIRECTORY = Path(".botcore")
PROMPT = "you> "
DEVELOPER = 1  # the Telegram id of the user that `botcore up` makes

# They turn the reading direction around, and so can disguise what is written.
BIDI_CONTROLS = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def chat(locale: str) -> int:
    """Talk until /quit, the end of the input or Ctrl-C; return the exit code."""
    found = _environment()
    missing = [name for name in NAMES if not found.get(name)]
    if missing:
        _tell(
            f"{' and '.join(missing)} not set, nor in {DIRECTORY}/dev.env: start botcore with "
            "`make run` in this folder, or set them to the API's address and a bot's token"
        )
        return 2
    _tolerate_any_encoding()
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner() as runner:
        return _talk(runner, Client(*(found[name] for name in NAMES)), locale)
    return 0


def printable(text: str) -> str:
    """Return the text without what a terminal would obey: escapes and other control characters."""
    return "".join(
        character
        for character in text.replace("\r\n", "\n")
        if character in "\n\t"
        or not (unicodedata.category(character) in {"Cc", "Cs"} or ord(character) in BIDI_CONTROLS)
    )


def _environment() -> dict[str, str]:
    here = {name: value for name in NAMES if (value := given(name))}
    return {**Directory(DIRECTORY).read_environment(), **here}


def _tolerate_any_encoding() -> None:
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _talk(runner: asyncio.Runner, client: Client, locale: str) -> int:
    # Input is read outside the loop, so that Ctrl-C ends it at once.
    try:
        runner.run(client.__aenter__())
        user_id = runner.run(client.upsert_user(DEVELOPER, "Developer", locale))
        dialog_id = str(uuid4())
        while (text := _next_text()) is not None:
            try:
                _show(runner.run(client.say(dialog_id, user_id, text)))
            except (Problem, Unreachable) as error:
                _tell(_explanation(error))
    except (Problem, Unreachable) as error:
        _tell(_explanation(error))
        return 1
    finally:
        runner.run(client.__aexit__(None, None, None))
    return 0


def _next_text() -> str | None:
    """Return the next text that is not blank; None at the end."""
    while True:
        line = _read_line()
        if line is None or line.strip() == "/quit":
            return None
        if text := printable(line).strip():
            return text


def _read_line() -> str | None:
    if not sys.stdin.isatty():
        return sys.stdin.readline() or None
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - editing and history
    try:
        return input(PROMPT)
    except EOFError:
        sys.stdout.write("\n")
        return None


def _show(answer: Json) -> None:
    for response in answer["plugin_responses"]:
        sys.stdout.write(f"{printable(response['content'])}\n")
    sys.stdout.flush()
    if answer["status"] == "queued":
        _tell("the answer comes later than this chat waits")
    if answer.get("error"):
        _tell(f"no answer: {answer['error']['message']} (trace {answer['trace_id']})")


def _explanation(error: Problem | Unreachable) -> str:
    if isinstance(error, Unreachable):
        return scrubbed_text(f"nobody answers at {error}")
    return f"{error.title}: {error.detail} (trace {error.trace_id})"


def _tell(line: str) -> None:
    sys.stderr.write(f"{printable(line)}\n")
    sys.stderr.flush()
