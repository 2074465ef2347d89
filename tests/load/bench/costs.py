"""What each step of a message costs the API in processor time, one message after another.

The application as shipped runs in a thread of this process and is asked without a socket of its
own, on a real PostgreSQL, Redis and plugin. A step has what the event loop does until it is over:
packing, the system's sockets, reading the answer.
"""

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import orjson
import uvloop

from impl import logging
from impl.api import Api
from impl.app import create_app
from impl.auth import TokenAuthenticator
from impl.dialogs import delivery, service
from impl.dialogs.handlers import DialogHandlers
from impl.plugins.caller import PluginCaller
from impl.ratelimit.shared import SharedLimiter
from impl.routing.router import Router
from impl.settings import Settings
from tests.faults.errors import CannotRunError
from tests.load.bench.alone import Stage, stage
from tests.load.bench.part import Part, Progress, Size

WARM = 300
STEPS: dict[str, tuple[object, str]] = {
    "token": (TokenAuthenticator, "bot_token"),
    "limits": (SharedLimiter, "charge"),
    "handler": (DialogHandlers, "add_dialog_message"),
    "what_is_stored": (service, "read_for_message"),
    "routing": (Router, "route"),
    "taking_it_in": (service, "take_in"),
    "plugin": (PluginCaller, "invoke"),
    "its_outcome": (delivery, "finish"),
}
IN_THE_HANDLER = ("what_is_stored", "routing", "taking_it_in", "plugin", "its_outcome")
BEFORE_IT = ("token", "limits")

Took = dict[str, list[float]]


async def _run(size: Size, progress: Progress) -> Mapping[str, Any]:
    number = 500 if size.short else 5000
    async with stage() as built:
        took = await asyncio.to_thread(uvloop.run, _measured(built, number))
    found = {name: median(each) * 1e6 for name, each in took.items()}
    progress(f"a message takes the API {found['all']:.0f} µs of processor time")
    steps = {name: found[name] for name in (*BEFORE_IT, *IN_THE_HANDLER)}
    steps["dialogs_between_these"] = found["handler"] - sum(found[at] for at in IN_THE_HANDLER)
    around = found["all"] - found["handler"] - sum(found[at] for at in BEFORE_IT)
    steps["contract_layer_and_around"] = around
    return {"messages": number, "microseconds": {"all": found["all"], **steps}}


async def _measured(built: Stage, number: int) -> Took:
    given = {name.removeprefix("BOTCORE_").lower(): value
             for name, value in built.world.settings.items()}  # fmt: skip
    settings = Settings(**given)  # type: ignore[arg-type]  # pydantic reads the texts
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):  # noqa: ASYNC230  # no wait
        logging.configure(settings.log_level)
        return await _asked(create_app(settings), built, number)


async def _asked(app: Api, built: Stage, number: int) -> Took:
    took: Took = defaultdict(list)
    body = orjson.dumps(built.message())
    headers = [
        (b"host", b"bench"),
        (b"x-bot-token", built.world.bot.token.encode()),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
    ]
    async with app.router.lifespan_context(app):
        with ExitStack() as stack:
            for at in range(WARM + number):
                if at == WARM:
                    for name, (owner, method) in STEPS.items():
                        timed = _timed(getattr(owner, method), took[name])
                        stack.enter_context(patch.object(owner, method, timed))
                began = time.thread_time()
                await _ask(app, headers, body)
                if at >= WARM:
                    took["all"].append(time.thread_time() - began)
    return took


def _timed(step: Callable[..., Awaitable[Any]], took: list[float]) -> Callable[..., Any]:
    async def timed(*given: Any, **options: Any) -> Any:
        began = time.thread_time()
        done = await step(*given, **options)
        took.append(time.thread_time() - began)
        return done

    return timed


async def _ask(app: Any, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    path = f"/api/v1/dialogs/{uuid4()}/messages"
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
             "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
             "root_path": "", "headers": headers, "client": ("127.0.0.1", 9),
             "server": ("127.0.0.1", 9), "state": {}}  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message.get("status", 200) != 200:
            raise CannotRunError(f"a message was answered {message['status']}")

    await app(scope, receive, send)


COSTS = Part("costs", "A message, step by step", _run)
