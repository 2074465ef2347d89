"""`botcore up`: everything on this machine, for one developer, with nothing to install or set."""

import asyncio
import contextlib
import errno
import importlib
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from impl.local.child import LocalError
from impl.local.directory import Directory
from impl.local.given import check_postgres, check_redis, given
from impl.local.guardian import Guardian
from impl.local.installation import MAJOR
from impl.local.instructions import instructions
from impl.local.ports import LOOPBACK, check_free, free_port
from impl.local.postgres import EmbeddedPostgres
from impl.local.supervisor import Say, Supervisor
from impl.local.valkey import EmbeddedValkey
from impl.secrecy.files import SUFFIX
from impl.secrecy.urls import masked_url

# Database URL and the values of the last run → the values that hold now, and USER_ID.
EnsureSecrets = Callable[[str, Mapping[str, str]], Awaitable[Mapping[str, str]]]

T = TypeVar("T")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
# An installed copy has none. In a clone's .venv a `pip install .` leaves such a copy, which ages.
NO_EXAMPLES = f"{EXAMPLES} is not there (this botcore is a copy; in a clone `make kit` mends it)"
READ_HERE = (
    "BOTCORE_DATABASE_URL",
    "BOTCORE_REDIS_URL",
    "BOTCORE_SECRET_KEY",
    "BOTCORE_REGISTRY_KEY",
    "BOTCORE_INVOCATION_TOKEN",
)
# What a plugin has no need of: it is told what it may do, by its token.
CORES_OWN = (
    "BOTCORE_DATABASE_URL",
    "BOTCORE_DATABASE_LISTEN_URL",
    "BOTCORE_REDIS_URL",
    "BOTCORE_SECRET_KEY",
)
SECRETS = ("BOTCORE_BOT_TOKEN", "BOTCORE_REGISTRY_KEY", "BOTCORE_ADMIN_KEY")


def _module(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *words)


def _example(name: str) -> tuple[str, ...]:
    script = EXAMPLES / name / "plugin.py"
    return (sys.executable, str(script)) if script.exists() else ()


@dataclass(frozen=True, slots=True)
class Commands:
    migrate: Sequence[str] = field(default_factory=lambda: _module("impl.cli", "migrate"))
    serve: Sequence[str] = field(default_factory=lambda: _module("impl.cli", "serve"))
    worker: Sequence[str] = field(default_factory=lambda: _module("impl.cli", "worker"))
    text_reply: Sequence[str] = field(default_factory=lambda: _module("impl.text_reply"))
    # Of the examples, which only a clone of the project has; else it is not started.
    calculator: Sequence[str] = field(default_factory=lambda: _example("calculator"))


SECRETS_MODULE = "impl.tokens.development"  # loads argon2 and asyncpg: slow


async def _ensure_secrets(database_url: str, previous: Mapping[str, str]) -> Mapping[str, str]:
    module = importlib.import_module(SECRETS_MODULE)
    values: Mapping[str, str] = await module.ensure(database_url, previous)
    return values


def _to_stderr(line: str) -> None:
    with contextlib.suppress(OSError):  # the terminal is gone: stopping goes on
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


async def up(
    *,
    port: int,
    directory: Path = Path(".botcore"),
    ensure_secrets: EnsureSecrets = _ensure_secrets,
    commands: Commands | None = None,
    say: Say = _to_stderr,
) -> int:
    """Start everything, and run until a signal (exit code 0) or a failure (1).

    Port 0 takes a free one.
    """
    here = Directory(directory)
    try:
        here.make()
        lock = await here.lock()
        try:
            _check_port(port)
            await _run(
                here,
                lock,
                _Start(here, port or free_port(), ensure_secrets, commands or Commands(), say),
            )
        finally:
            os.close(lock)
    except LocalError as error:
        say(f"✗ {error}")
        return 1
    return 0


def _check_port(port: int) -> None:
    try:
        check_free(port, os.environ.get("BOTCORE_HOST", LOOPBACK))
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        what = "is in use: stop what uses it" if in_use else f"cannot be used ({error.strerror})"
        raise LocalError(f"port {port} {what}, or take another: PORT=8081 make run") from None


async def _run(here: Directory, lock: int, start: "_Start") -> None:
    guardian = Guardian(keep=(lock,))
    await guardian.start()
    supervisor = Supervisor(guardian, start.say)
    await supervisor.run(start.all(supervisor, guardian.group))


@dataclass(frozen=True, slots=True)
class _Start:
    here: Directory
    port: int
    ensure_secrets: EnsureSecrets
    commands: Commands
    say: Say

    async def all(self, supervisor: Supervisor, group: int) -> None:
        if self.ensure_secrets is _ensure_secrets:  # loaded while the servers start
            asyncio.get_running_loop().run_in_executor(
                None, importlib.import_module, SECRETS_MODULE
            )
        await _check_given()  # first: a mistake there ends in one line, with nothing under way
        database, redis = await _together(
            self._database(supervisor, group), self._redis(supervisor, group)
        )
        env = self._environment(database, redis)
        with supervisor.step("database schema"):
            log = self.here.log("migrate")
            await supervisor.run_once("migrate", self.commands.migrate, env=env, log=log)
        found = await self.ensure_secrets(database, self.here.read_environment())
        key = found["BOTCORE_REGISTRY_KEY"]
        await self._services(supervisor, {**env, "BOTCORE_REGISTRY_KEY": key})
        self.here.write_database_url(database)
        self.here.write_redis_url(redis)
        self.here.write_environment(
            {"BOTCORE_URL": self._url, **{name: found[name] for name in SECRETS}}
        )
        example = "2 km in m" if self.commands.calculator else None
        sys.stdout.write(instructions(self.here, self._url, found["USER_ID"], example))
        sys.stdout.flush()

    @property
    def _url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    async def _database(self, supervisor: Supervisor, group: int) -> str:
        if url := given("BOTCORE_DATABASE_URL"):
            self.say(f"✓ PostgreSQL of BOTCORE_DATABASE_URL: {masked_url(url)}")
            return url
        path, log = self.here.path / "postgres", self.here.log("postgres")
        server = EmbeddedPostgres(path, log=log, group=group)
        with supervisor.step(f"PostgreSQL {MAJOR}"):
            await server.start()
        supervisor.add_server(server.child, lambda: server.stop(seconds=1))
        return server.dsn

    async def _redis(self, supervisor: Supervisor, group: int) -> str:
        if url := given("BOTCORE_REDIS_URL"):
            self.say(f"✓ Redis of BOTCORE_REDIS_URL: {masked_url(url)}")
            return url
        server = EmbeddedValkey(self.here.path / "valkey", log=self.here.log("valkey"), group=group)
        with supervisor.step("Valkey"):
            await server.start()
        supervisor.add_server(server.child, lambda: server.stop(seconds=1))
        return server.url

    def _environment(self, database: str, redis: str) -> dict[str, str]:
        # These are read here; their files would be second ones beside the values below.
        files = {f"{name}{SUFFIX}" for name in READ_HERE}
        return {
            **{name: value for name, value in os.environ.items() if name not in files},
            "BOTCORE_DATABASE_URL": database,
            "BOTCORE_REDIS_URL": redis,
            "BOTCORE_SECRET_KEY": given("BOTCORE_SECRET_KEY") or self.here.secret_key(),
            "BOTCORE_PORT": str(self.port),
            "BOTCORE_URL": self._url,
            "BOTCORE_DEVELOPMENT": "true",
            "BOTCORE_UNREADY_SECONDS": "0",  # nobody is sent here but the developer
        }

    async def _services(self, supervisor: Supervisor, env: Mapping[str, str]) -> None:
        own = {*CORES_OWN, *(f"{name}{SUFFIX}" for name in CORES_OWN)}
        plugins = {name: value for name, value in env.items() if name not in own}

        async def service(
            name: str, command: Sequence[str], env: Mapping[str, str] = env, **more: str
        ) -> None:
            if not command:
                self.say(f"· {name} is not started: {NO_EXAMPLES}")
                return
            with supervisor.step(name):
                log = self.here.log(name)
                await supervisor.add_service(name, command, env={**env, **more}, log=log)

        await _together(
            service("serve", self.commands.serve),
            # A port of the metrics' own is the API's here: two processes cannot share it.
            service("worker", self.commands.worker, BOTCORE_METRICS_PORT="0"),
            service(
                "text_reply",
                self.commands.text_reply,
                plugins,
                BOTCORE_TEXT_REPLY_PORT=str(free_port()),
            ),
            service(
                "calculator", self.commands.calculator, plugins, **_plugin_settings(free_port())
            ),
        )


def _plugin_settings(port: int) -> dict[str, str]:
    """Of a plugin in the form of `botcore plugin new`: all of them, whatever our own have."""
    url = f"http://{LOOPBACK}:{port}"
    return {"HOST": LOOPBACK, "PORT": str(port), "BASE_URL": url, "BOTCORE_INVOCATION_TOKEN": ""}


async def _check_given() -> None:
    checks = {"BOTCORE_DATABASE_URL": check_postgres, "BOTCORE_REDIS_URL": check_redis}
    urls = ((check, given(name)) for name, check in checks.items())
    await _together(*(check(url) for check, url in urls if url))


async def _together(*work: Coroutine[None, None, T]) -> list[T]:
    """Return all results; the first failure ends the rest and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
