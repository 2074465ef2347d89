"""The folder that holds all that a development installation has: `.botcore`."""

import asyncio
import fcntl
import os
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from impl.local.child import LocalError

ROTATE_ABOVE_BYTES = 10 * 1024 * 1024
LOCK_SECONDS = 8.0  # longer than a guardian takes to clear up after a killed supervisor


@dataclass(frozen=True, slots=True)
class Directory:
    path: Path

    @property
    def environment_file(self) -> Path:
        return self.path / "dev.env"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def make(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def log(self, name: str) -> Path:
        """Return the log of this name; what an earlier run wrote goes aside when it is too much."""
        self.logs.mkdir(exist_ok=True)
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > ROTATE_ABOVE_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path

    async def lock(self) -> int:
        """Make this the only supervisor here; the lock lasts while the descriptor is open."""
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        holder = ""
        for _ in range(round(LOCK_SECONDS / 0.05)):
            if _try_lock(descriptor):
                os.truncate(descriptor, 0)
                os.pwrite(descriptor, str(os.getpid()).encode(), 0)
                return descriptor
            holder = os.pread(descriptor, 20, 0).decode()
            if _is_alive(holder):
                break
            # Killed, and its guardian is still ending what it had started.
            await asyncio.sleep(0.05)
        os.close(descriptor)
        raise LocalError(f"botcore is already running in {self.path} (process {holder})")

    def secret_key(self) -> str:
        """Return the key of this installation: made once, as what it encrypts outlives a run."""
        path = self.path / "secret_key"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(48))
        return path.read_text().strip()

    def read_database_url(self) -> str | None:
        """Of the last run's database, which may be stopped; None where there was none."""
        path = self.path / "database_url"
        return path.read_text().strip() if path.exists() else None

    def write_database_url(self, url: str) -> None:
        write_private(self.path / "database_url", f"{url}\n")

    def read_redis_url(self) -> str | None:
        """As `read_database_url`."""
        path = self.path / "redis_url"
        return path.read_text().strip() if path.exists() else None

    def write_redis_url(self, url: str) -> None:
        write_private(self.path / "redis_url", f"{url}\n")

    def read_environment(self) -> dict[str, str]:
        if not self.environment_file.exists():
            return {}
        words = shlex.split(self.environment_file.read_text())
        return dict(word.split("=", 1) for word in words if "=" in word)

    def write_environment(self, values: Mapping[str, str]) -> None:
        """Write `values` as lines that a POSIX shell can source."""
        lines = (f"{name}={shlex.quote(value)}\n" for name, value in values.items())
        write_private(self.environment_file, "".join(lines))


def write_private(path: Path, text: str) -> None:
    """Write a file that only we may read, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text if text.endswith("\n") else f"{text}\n")
    draft.replace(path)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        pass
    return True
