"""The composition root: what is open while the service runs, and what ends it."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from typing import Any, Never
from uuid import uuid4

import aiohttp
import structlog
import uvicorn
from fastapi import FastAPI

from generated.models import PluginRegistrationResponseV1
from generated.runtime import trace
from impl.llm.compose import llm_router, openai_client
from impl.llm.router import LLMRouter
from impl.logging import described
from impl.process import announce_ready
from impl.text_reply.answers import Answer, Answerer
from impl.text_reply.app import BearerCheck, create_app
from impl.text_reply.core_api import CoreApi, CoreRefusedError
from impl.text_reply.figures import Figures
from impl.text_reply.manifest import MODEL_UNAVAILABLE, VERSION
from impl.text_reply.once import Once
from impl.text_reply.outage import Outage
from impl.text_reply.registration import Registration
from impl.text_reply.reporter import Reporter
from impl.text_reply.settings import TextReplySettings

log = structlog.get_logger()

DRAIN_SECONDS = 2
# Longer than a caller keeps an idle connection, so that it never writes into one that we close.
KEEP_ALIVE_SECONDS = 75

Jobs = Mapping[str, Callable[[], Coroutine[Any, Any, Never]]]


class Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `run`: uvicorn raises them again, which ends a process half closed."""
        yield


async def serve(settings: TextReplySettings) -> int:
    """Serve until a signal (exit code 0), or until something dies or is refused (1)."""
    trace.enter(str(uuid4()))
    try:
        listener = socket.create_server(
            (settings.text_reply_host, settings.text_reply_port), backlog=2048
        )
    except OSError as error:
        log.critical("cannot_listen", port=settings.text_reply_port, reason=error.strerror)
        return 1
    with listener:
        async with opened(settings) as (app, jobs):
            log.info("started", version=VERSION, url=settings.base_url, model=settings.llm_model)
            return await run(make_server(app), listener, jobs)


@contextlib.asynccontextmanager
async def opened(settings: TextReplySettings) -> AsyncIterator[tuple[FastAPI, Jobs]]:
    """The plugin, and what must run beside it."""
    async with contextlib.AsyncExitStack() as stack:
        model = _model(settings)
        if model is not None:
            stack.push_async_callback(model.close)
        session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
        figures, once, bearer = Figures(), Once[Answer](), BearerCheck()
        stack.push_async_callback(once.close)
        api = CoreApi(session, settings.url)
        reporter = Reporter(api)
        outage = Outage(
            lambda reason: reporter.report(MODEL_UNAVAILABLE, "warning", {"reason": reason})
        )
        answerer = Answerer(
            model, seconds=settings.llm_timeout_seconds, figures=figures, outage=outage
        )

        def use(registered: PluginRegistrationResponseV1) -> None:
            bearer.expect(registered.invocation_token)
            reporter.use(registered)

        registration = Registration(
            api,
            base_url=settings.base_url,
            registry_key=settings.registry_key.get_secret_value(),
            heartbeat_seconds=settings.text_reply_heartbeat_seconds,
            figures=figures,
            on_registered=use,
            announce_ready=announce_ready,
        )
        jobs = {"registration": registration.run, "reporter": reporter.run}
        yield create_app(answerer, once, bearer), jobs


def _model(settings: TextReplySettings) -> LLMRouter | None:
    """Without a second provider: to ask in vain is better than not to ask, where each answer is
    what a user waits for."""
    client = openai_client(
        settings,
        classify_seconds=settings.llm_timeout_seconds,
        debug=settings.log_level == "debug",
    )
    return None if client is None else llm_router(settings, client)


def make_server(app: FastAPI) -> Server:
    return Server(
        uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )


async def run(server: Server, listener: socket.socket, jobs: Jobs) -> int:
    """Serve on `listener`, which accepts connections already, while the jobs run beside."""
    serving = asyncio.create_task(server.serve([listener]), name="server")
    beside = [asyncio.create_task(job(), name=name) for name, job in jobs.items()]
    with _stopping_by_signal(server):
        await asyncio.wait((serving, *beside), return_when=asyncio.FIRST_COMPLETED)
        asked_to_stop = server.should_exit and not any(task.done() for task in beside)
        server.should_exit = True
        for task in beside:
            task.cancel()
        await asyncio.wait((serving, *beside))
    tasks: tuple[asyncio.Task[Any], ...] = (serving, *beside)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            _tell(task.get_name(), error)
    return 0 if asked_to_stop and serving.exception() is None else 1


@contextlib.contextmanager
def _stopping_by_signal(server: Server) -> Iterator[None]:
    def stop() -> None:
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for which in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(which, stop)
    try:
        yield
    finally:
        for which in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(which)


def _tell(task: str, error: BaseException) -> None:
    if isinstance(error, CoreRefusedError):
        hint = "raise the plugin's version" if error.status == 409 else None
        log.critical(
            "core_refused", status=error.status, code=error.code, detail=error.detail, hint=hint
        )
    else:
        log.critical("task_died", task=task, **described(error))
