"""Runs a plugin until SIGTERM: the server, and beside it the registration where a core is named."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from .contract import Contract
from .problems import Json
from .registration import RefusedError, Registration
from .server import Answer, Server

Read = TypeVar("Read")

NEEDS = """set BOTCORE_URL and BOTCORE_REGISTRY_KEY, and the plugin registers itself, or set
BOTCORE_INVOCATION_TOKEN to the invocation_token of a registration"""

log = logging.getLogger("plugin")


class SettingsError(Exception):
    """What the environment or manifest.json lacks."""


def run(folder: Path, answer: Answer, ready: Callable[[], None] = lambda: None) -> int:
    """`folder` holds manifest.json and plugin.openapi.json; `ready` is told when all is well.

    Exit code: 0 after a signal, 1 where the core refused the plugin, 2 for bad settings.
    """
    level = os.environ.get("BOTCORE_LOG_LEVEL", "info").upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s")
    try:
        asyncio.run(_serve(folder, answer, ready))
    except (SettingsError, OSError) as error:
        sys.stderr.write(f"cannot start: {error}\n")
        return 2
    except RefusedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def _serve(folder: Path, answer: Answer, ready: Callable[[], None]) -> None:
    manifest = _read(folder / "manifest.json", json.loads)
    host, port = os.environ.get("HOST", "127.0.0.1"), _port(os.environ.get("PORT", "9000"))
    base_url = os.environ.get("BASE_URL", f"http://127.0.0.1:{port}")
    core, key = os.environ.get("BOTCORE_URL"), _secret("BOTCORE_REGISTRY_KEY")
    token = _secret("BOTCORE_INVOCATION_TOKEN")
    if not token and not (core and key):
        raise SettingsError(NEEDS)
    contract = _read(folder / "plugin.openapi.json", Contract)
    server = Server(manifest, contract, answer, token, os.environ.get("BOTCORE_SIGNING_SECRET"))
    if faults := contract.manifest_faults(manifest):
        raise SettingsError(f"manifest.json breaks the contract: {'; '.join(faults)}")

    def use(registered: Json) -> None:
        server.token = registered["invocation_token"]
        server.secret = registered.get("signing_secret")  # a core before 0.2 signs nothing

    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        log.info("serving on http://%s:%d", host, port)
        jobs = [asyncio.create_task(_until_signal())]
        if core and key and not token:
            registration = Registration(
                manifest, core_url=core, registry_key=key, base_url=base_url, use=use, ready=ready
            )
            jobs.append(asyncio.create_task(registration.run()))
        else:
            log.info("not registering: BOTCORE_INVOCATION_TOKEN is set")
            ready()
        done, waiting = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        for job in waiting:
            job.cancel()
        for job in done:
            job.result()
    finally:
        await runner.cleanup()


def _read(file: Path, read: Callable[[str], Read]) -> Read:
    """Raises SettingsError with the place where it is no JSON."""
    try:
        return read(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        place = f"{file.name}, line {error.lineno}, column {error.colno}"
        raise SettingsError(f"{place}: {error.msg}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file.name} is not UTF-8") from None


def _secret(name: str) -> str | None:
    """Of the variable, or of the file that `<name>_FILE` names."""
    value, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if not path:
        return value
    if value:
        raise SettingsError(f"{name} and {name}_FILE are both set: leave one of them out")
    try:
        text = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError):  # not named: it may be the secret itself, set by mistake
        raise SettingsError(f"the file of {name}_FILE cannot be read") from None
    if not text:
        raise SettingsError(f"the file of {name}_FILE is empty")
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise SettingsError(f"PORT is a number from 0 to 65535, not {text!r}")
    return int(text)


async def _until_signal() -> None:
    stopped = asyncio.Event()
    with _on_signals(stopped.set):
        await stopped.wait()


@contextlib.contextmanager
def _on_signals(stop: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for which in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(which, stop)
    try:
        yield
    finally:
        for which in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(which)
