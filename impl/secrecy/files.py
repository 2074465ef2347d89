"""Secrets of the environment: `NAME` itself, or the file that `NAME_FILE` names.

Orchestrators mount secrets as files. A file that others may read is taken: mounts of Docker and
Kubernetes are so, and who can read them is the container's matter. One that others may write is
refused: whoever writes it chooses our key or our database.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

SUFFIX = "_FILE"
MOST_BYTES = 64 * 1024


class SecretFileError(ValueError):
    """Why there is no secret, and what to do. It names the variable, never a value: where someone
    mistook `NAME_FILE` for `NAME`, the path is the secret."""


def read_secret(name: str, environment: Mapping[str, str] | None = None) -> str | None:
    """What `name` is set to; None where neither it nor its `_FILE` form is, or is empty.

    Raises SecretFileError where both are set, or the file cannot be used.
    """
    given = os.environ if environment is None else environment
    value, path = given.get(name), given.get(f"{name}{SUFFIX}")
    if not path:
        return value or None
    if value:
        raise SecretFileError(f"is set, and so is {name}{SUFFIX}: leave one of them out")
    return _content(f"the file of {name}{SUFFIX}", path)


def _content(file: str, path: str) -> str:
    try:
        with Path(path).open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            raw = opened.read(MOST_BYTES + 1) if stat.S_ISREG(mode) else b""
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = getattr(error, "strerror", None) or "its path is none"
        raise SecretFileError(
            f"{file} cannot be read ({why}): name one that this process may read"
        ) from None
    if not stat.S_ISREG(mode):
        raise SecretFileError(f"{file} is no regular file: name one that holds the secret alone")
    if mode & stat.S_IWOTH:
        raise SecretFileError(
            f"{file} may be written by everyone: take that right away (chmod o-w)"
        )
    if len(raw) > MOST_BYTES:
        raise SecretFileError(f"{file} is larger than {MOST_BYTES // 1024} KiB: no secret is")
    try:
        text = raw.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise SecretFileError(f"{file} is not UTF-8: write the secret as text") from None
    if not text.strip():
        raise SecretFileError(f"{file} is empty: write the secret into it")
    return text
