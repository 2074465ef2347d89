"""What to do first, printed when everything runs: a request to paste, and where to look."""

import json
import shlex
import sys
from pathlib import Path
from uuid import uuid4

from impl.local.directory import Directory


def instructions(directory: Directory, url: str, user_id: str, example: str | None = None) -> str:
    """`example` is a message that another plugin than text_reply answers."""
    hint = f"   (try: {example})" if example else ""
    return f"""
Send the first message:

  {curl(directory.environment_file, user_id)}

Talk:  {_from_here(Path(sys.executable).with_name("botcore"))} chat{hint}
Read:  GET {url}/api/v1/dialogs/{{dialog_id}} gives an earlier dialog
Docs:  {url}/docs
Logs:  {directory.logs}
Stop:  Ctrl-C
"""


def curl(environment_file: Path, user_id: str) -> str:
    """Return one line for any POSIX shell; each start shows a dialog of its own."""
    message = {
        "message_id": "hello-1",  # pasted twice, it is answered once
        "user_id": user_id,
        "payload": {"type": "text", "text": "Hello!"},
    }
    body = json.dumps(message, separators=(",", ":"))
    return (
        f". {shlex.quote(_with_slash(environment_file))} && "
        f"curl -sS -w '\\n' "
        f'"$BOTCORE_URL/api/v1/dialogs/{uuid4()}/messages" '
        f"-H \"X-Bot-Token: $BOTCORE_BOT_TOKEN\" -H 'Content-Type: application/json' "
        f"-d {shlex.quote(body)}"
    )


def _with_slash(path: Path) -> str:
    # Without one, `.` looks along PATH.
    return str(path) if "/" in str(path) else f"./{path}"


def _from_here(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
