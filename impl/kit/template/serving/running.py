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

from aiohttp import web

from .contract import Contract
from .registration import RefusedError, Registration
from .server import Answer, Server

NEEDS = """set BOTCORE_URL and BOTCORE_REGISTRY_KEY, and the plugin registers itself, or set
BOTCORE_INVOCATION_TOKEN to the invocation_token of a registration"""


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
    manifest = json.loads((folder / "manifest.json").read_text())
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9000"))
    base_url = os.environ.get("BASE_URL", f"http://127.0.0.1:{port}")
    core, key = os.environ.get("BOTCORE_URL"), os.environ.get("BOTCORE_REGISTRY_KEY")
    token = os.environ.get("BOTCORE_INVOCATION_TOKEN")
    if not token and not (core and key):
        raise SettingsError(NEEDS)
    contract = Contract(folder / "plugin.openapi.json")
    server = Server(manifest, contract, answer, token)
    if faults := contract.manifest_faults(manifest):
        raise SettingsError(f"manifest.json breaks the contract: {'; '.join(faults)}")

    def use(invocation_token: str) -> None:
        server.token = invocation_token

    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        logging.getLogger("plugin").info("serving on http://%s:%d", host, port)
        jobs = [asyncio.create_task(_until_signal())]
        if core and key and not token:
            registration = Registration(
                manifest, core_url=core, registry_key=key, base_url=base_url, use=use, ready=ready
            )
            jobs.append(asyncio.create_task(registration.run()))
        else:
            ready()
        done, waiting = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        for job in waiting:
            job.cancel()
        for job in done:
            job.result()
    finally:
        await runner.cleanup()


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
